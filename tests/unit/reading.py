"""Reading one file, as most tests of readers do."""

from workbench.retrieval.readers import read_files


def read_one(path, **options):
    """What was read of the one file at a path."""
    (file,) = read_files(path, **options).files
    return file
