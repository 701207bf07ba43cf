"""What a file really is and in which encoding, before anything is read from it. No texts and no tables."""
