"""How likely a guaranteed cutoff is before one labels: by pairs, wrong labels, and the encoder's AUC."""

from __future__ import annotations

from simulating._worlds import share_with_error

from workbench.pairs import assumed_scores, chance_of_a_cutoff

TARGET, PREVALENCE = 0.893, 0.3
ERRORS = (0.0, 0.01, 0.02, 0.05, 0.1)


def run(runs: int = 1000, seed: int = 7) -> str:
    """Normal scores of encoders of some AUCs."""
    head = [
        f"Chance in percent that a precision of {100 * TARGET:.1f} % is guaranteed with 95 % confidence, "
        f"where {100 * PREVALENCE:.0f} % of independent pairs are matches, scores are normal, and each label "
        "is turned round with the same probability; nothing is allowed for. `wb.chance_of_a_cutoff` says it "
        "for scores of your own, `workbench pairs plan` for pairs.",
        "",
        f"| AUC | pairs | {' | '.join(f'{100 * error:.0f} % wrong' for error in ERRORS)} |",
        "|---|---|" + "---|" * len(ERRORS),
    ]
    rows = []
    for auc in (0.85, 0.9, 0.95, 0.97):
        found = chance_of_a_cutoff(
            *assumed_scores(auc),
            TARGET,
            prevalence=PREVALENCE,
            label_errors=ERRORS,
            n_repeats=runs,
            seed=seed,
        )
        for n, part in found.groupby("n"):
            cells = [share_with_error(round(chance * runs), runs) for chance in part["chance"]]
            rows.append(f"| {auc} | {n:,} | {' | '.join(cells)} |")
    return "\n".join(head + rows)
