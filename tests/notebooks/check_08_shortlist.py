"""What 08_shortlist must find: whom people would invite by the labels, and phrases of the résumés."""

import csv
from collections import defaultdict

from demonstration import DEMO

DOCUMENTS = DEMO.parent / "documents"
RUNS = {
    "all JDs, in Chinese": {"jds": str(DOCUMENTS / "jds"), "resumes": str(DOCUMENTS / "resumes"), "top": 5},
}


def labelled(name):
    with (DOCUMENTS / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def check(results, parameters):
    ratings = defaultdict(dict)
    for row in [*labelled("pairs_first.csv"), *labelled("pairs_adjudicated.csv")]:
        ratings[row["jd_id"]][row["resume_id"]] = int(row["rating"])
    lists = defaultdict(list)
    for row in results["shortlists"]:
        lists[row["jd_id"]].append(row)
    assert set(lists) == set(ratings)
    assert {len(rows) for rows in lists.values()} == {parameters["top"]}
    # Somebody whom people would meet (2 or 3) is among the first five of nearly every JD that has one.
    fit = {jd: {cv for cv, rating in rated.items() if rating >= 2} for jd, rated in ratings.items()}
    found = [bool(cvs & {row["resume_id"] for row in lists[jd]}) for jd, cvs in fit.items() if cvs]
    assert sum(found) >= 0.9 * len(found)

    best = lists[results["shown"]][0]
    text = (DOCUMENTS / "resumes" / f"{best['resume_id']}.txt").read_text("utf-8")
    jd = (DOCUMENTS / "jds" / f"{results['shown']}.txt").read_text("utf-8")
    assert all(row["phrase"] in text and row["requirement"] in jd for row in results["pair"])
    assert sum(results["counts"].values()) == len(results["pair"])
    # Nobody is left out for a must-have.
    assert {row["years >= 3"] for rows in lists.values() for row in rows} <= {True, False, None}
