"""The decision log: who decided what, when, by which card, on which score; never the text of a résumé.

A file of JSON lines that only grows: nothing in it is changed or deleted. A line is on disk before
:meth:`DecisionLog.record` returns, and writers wait for each other. A line that a killed process has left
unfinished stays as it is, and whoever reads is told of it. It keeps what Articles 12 and 26(6) of the EU AI
Act (Regulation 2024/1689) ask of a log: when, against what, on which input, and who checked the result.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.atomic import only_writer, private_opener, write_whole
from workbench.errors import EncoderMismatchError, InputError, LogWarning, StoreError
from workbench.i18n import gettext as _
from workbench.i18n import listed, ngettext

if TYPE_CHECKING:
    import pandas as pd

    from workbench.cutoffs import Cutoff

# In which metadata a document may have a name of its own, first come first.
ID_NAMES = ("jd_id", "job_id", "resume_id", "candidate_id", "id")
# Longer than these is no name; most likely it is a text.
LONGEST_NAME = 200


@dataclass(frozen=True)
class Decision:
    """One line of the log.

    Attributes
    ----------
    at : str
        UTC, ISO 8601.
    who : str
        The person who decided; empty where only the machine did.
    card : str or None
        Digest of the cutoff card; None for a bare number.
    cutoff : float
    encoder, fingerprint : str
        What the score was made with.
    jd_id, resume_id : str
        Names of the two documents; never their text.
    score : float
    probability, prevalence : float or None
        How probable a match is by the card, among pairs of which this share are matches.
    machine : bool
        Whether ``score > cutoff``.
    person : bool or None
        What `who` decided; None where nobody has.
    """

    at: str
    who: str
    card: str | None
    cutoff: float
    encoder: str
    fingerprint: str
    jd_id: str
    resume_id: str
    score: float
    probability: float | None
    prevalence: float | None
    machine: bool
    person: bool | None


COLUMNS = tuple(Decision.__dataclass_fields__)


class DecisionLog:
    """A log of decisions in the .jsonl file at `path`, which is made with the first record.

    Examples
    --------
    >>> import tempfile
    >>> import workbench as wb
    >>> log = DecisionLog(Path(tempfile.mkdtemp()) / "decisions.jsonl")
    >>> card = wb.Cutoff(0.4)
    >>> what = {"encoder": wb.load_encoder("use"), "jd_id": "jd-3", "resume_id": "p-17", "score": 0.62}
    >>> _ = log.record(card, **what)
    >>> _ = log.record(card, **what, who="Wang Fang", decision=False)
    >>> log.read()[["jd_id", "score", "machine", "who", "person"]]
      jd_id  score  machine        who person
    0  jd-3   0.62     True              None
    1  jd-3   0.62     True  Wang Fang  False
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser()
        if self.path.suffix.lower() != ".jsonl":
            raise InputError(
                _("A decision log is a .jsonl file (JSON lines), not {file}.").format(file=self.path.name)
            )

    def __repr__(self) -> str:
        return f"DecisionLog({str(self.path)!r})"

    def record(
        self,
        cutoff: Cutoff,
        *,
        encoder: Any,
        jd_id: str,
        resume_id: str,
        score: float,
        probability: Mapping[str, Any] | None = None,
        who: str = "",
        decision: bool | None = None,
    ) -> Decision:
        """Write one decision; it is on disk when this returns.

        Parameters
        ----------
        cutoff : Cutoff
            That the machine decided by.
        encoder : Encoder
            With `name` and `fingerprint`.
        jd_id, resume_id : str
            Names of the documents; :func:`document_id` makes one from a text.
        score : float
        probability : HitProbability, optional
            Of the hit.
        who : str
            The person who decided.
        decision : bool, optional
            What they decided: True for a match.

        Raises
        ------
        InputError
            If a name is missing or is a whole text, the score is not finite, or a decision has nobody.
        StoreError
            If the file cannot be written.
        """
        by = _Basis(cutoff, encoder)
        made = by.decide(jd_id, resume_id, score, probability, who=who.strip(), person=decision)
        self._append([made])
        return made

    def record_hits(
        self, hits: Sequence[Mapping[str, Any]], cutoff: Cutoff, *, encoder: Any, resume_id: str
    ) -> list[Decision]:
        """Write what the machine decided of a search's hits, as :meth:`record`; nothing without a cutoff."""
        by = _Basis(cutoff, encoder)
        made = [
            by.decide(
                document_id(hit["text"], hit["metadata"]), resume_id, hit["score"], hit.get("probability")
            )
            for hit in hits
            if hit["is_match"] is not None
        ]
        self._append(made)
        return made

    def read(self) -> pd.DataFrame:
        """All decisions, in the order in which they were written; one column a field of :class:`Decision`.

        Warns
        -----
        LogWarning
            Of lines that an interrupted write has left unfinished, with their numbers.

        Raises
        ------
        InputError
            If there is no such file, or a whole line is no decision.
        """
        import pandas as pd

        unfinished: list[int] = []
        made = list(self._decisions(unfinished))
        if unfinished:
            said = ngettext(
                "{file}: line {lines} was left unfinished by an interrupted write, and is not read.",
                "{file}: lines {lines} were left unfinished by interrupted writes, and are not read.",
                len(unfinished),
            ).format(file=self.path.name, lines=listed(unfinished))
            warnings.warn(said, LogWarning, stacklevel=2)
        frame = pd.DataFrame([asdict(each) for each in made], columns=list(COLUMNS))
        return frame.astype({"person": object})

    def pairs(self, card: Cutoff | None = None) -> pd.DataFrame:
        """Each pair once, as live data: its last score, and the last decision of a person as its label.

        Parameters
        ----------
        card : Cutoff, optional
            Only pairs that were scored by the encoder of this card.

        Returns
        -------
        DataFrame
            ``jd_id, resume_id, score, machine, at``, ``label`` (1, 0, or missing where no person decided) and
            ``who`` decided it; the encoder is in `attrs`, as of :func:`workbench.score_pairs`.

        Raises
        ------
        EncoderMismatchError
            If no decision was made by the card's encoder.

        Warns
        -----
        LogWarning
            Of decisions by other encoders.
        """
        import pandas as pd

        frame = self.read()
        if not len(frame):
            raise InputError(_("{file} has no decisions yet.").format(file=self.path.name))
        if card is not None and card.fingerprint is not None:
            own = frame["fingerprint"] == card.fingerprint
            if not own.any():
                other = frame.iloc[-1]
                card.check_encoder(str(other["encoder"]), str(other["fingerprint"]))
            if not own.all():
                n = int((~own).sum())
                said = ngettext(
                    "{n} decision of {file} is by another encoder than the card's, and left out.",
                    "{n} decisions of {file} are by other encoders than the card's, and left out.",
                    n,
                ).format(n=n, file=self.path.name)
                warnings.warn(said, LogWarning, stacklevel=2)
            frame = frame[own]
        elif len(encoders := frame["fingerprint"].unique()) > 1:
            raise EncoderMismatchError(
                _("{file} has decisions by {n} encoders; say by its card which of them to look at.").format(
                    file=self.path.name, n=len(encoders)
                )
            )
        keys = ["jd_id", "resume_id"]
        last = frame.drop_duplicates(keys, keep="last")
        said_by = frame.loc[frame["person"].notna()].drop_duplicates(keys, keep="last").set_index(keys)
        index = pd.MultiIndex.from_frame(last[keys])
        label = said_by["person"].astype(float).reindex(index).to_numpy()
        who = said_by["who"].reindex(index).fillna("").to_numpy()
        shown: pd.DataFrame = last[[*keys, "score", "machine", "at"]].reset_index(drop=True)
        pairs = shown.assign(label=label, who=who)
        pairs.attrs["encoder"] = {
            "name": last["encoder"].iloc[-1],
            "fingerprint": last["fingerprint"].iloc[-1],
        }
        return pairs

    def forget(self, gone: Callable[[str], bool]) -> int:
        """Erase the decisions on documents, by their names, and unfinished lines; returns how many decisions.

        Nothing else ever takes a line out of a log.
        """
        left, removed = [], 0
        with only_writer(self.path):
            content = self.path.read_bytes()
            for line in content.split(b"\n")[:-1]:
                with suppress(ValueError, KeyError, TypeError):
                    fields = json.loads(line)
                    if gone(str(fields["jd_id"])) or gone(str(fields["resume_id"])):
                        removed += 1
                    else:
                        left.append(line + b"\n")
            # Of what was left unfinished nobody can say whose it is.
            if (whole := b"".join(left)) != content:
                write_whole(self.path, whole)
        return removed

    @staticmethod
    def is_log(path: str | Path) -> bool:
        """Whether a file is a decision log, by its suffix and its first whole line."""
        path = Path(path)
        if path.suffix.lower() == ".jsonl" and path.is_file():
            for line in path.read_bytes().split(b"\n"):
                try:
                    return set(COLUMNS) <= set(json.loads(line))
                except (ValueError, TypeError, RecursionError):
                    continue
        return False

    def _decisions(self, unfinished: list[int]) -> Iterator[Decision]:
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            raise InputError(_("There is no decision log at {path}.").format(path=self.path)) from None
        except OSError as error:
            raise StoreError(
                _("{file} cannot be read: {error}.").format(file=self.path, error=error.strerror or error)
            ) from error
        for number, line in enumerate(content.split(b"\n"), start=1):
            if not line.strip():
                continue
            try:
                fields = json.loads(line)
            except (ValueError, RecursionError):
                unfinished.append(number)
                continue
            try:
                yield _checked(Decision(**{name: fields[name] for name in COLUMNS}))
            except (KeyError, TypeError, AttributeError, InputError) as error:
                said = _("{file}, line {number}, is no decision ({reason}); restore the file.")
                reason = str(error) or type(error).__name__
                raise InputError(said.format(file=self.path.name, number=number, reason=reason)) from error

    def _append(self, made: Iterable[Decision]) -> None:
        lines = [json.dumps(asdict(each), ensure_ascii=False, allow_nan=False) + "\n" for each in made]
        content = "".join(lines).encode("utf-8", "backslashreplace")
        with only_writer(self.path), open(self.path, "a+b", opener=private_opener) as file:
            if file.tell() and not _ends_a_line(file):
                # What an interrupted write has left stays, as a line of its own.
                content = b"\n" + content
            file.write(content)
            file.flush()
            os.fsync(file.fileno())


class _Basis:
    """What a machine decides by; the digest of a card is made once for many hits."""

    def __init__(self, cutoff: Cutoff, encoder: Any) -> None:
        self.cutoff = float(cutoff.value)
        self.card = cutoff.to_dict()["digest"] if cutoff.is_calibrated else None
        self.encoder, self.fingerprint = encoder.name, encoder.fingerprint
        self.at = datetime.now(UTC).isoformat(timespec="milliseconds")

    def decide(
        self,
        jd_id: str,
        resume_id: str,
        score: float,
        probability: Mapping[str, Any] | None,
        *,
        who: str = "",
        person: bool | None = None,
    ) -> Decision:
        found = probability or {}
        return _checked(
            Decision(
                at=self.at,
                who=who,
                card=self.card,
                cutoff=self.cutoff,
                encoder=self.encoder,
                fingerprint=self.fingerprint,
                jd_id=str(jd_id),
                resume_id=str(resume_id),
                score=float(score),
                probability=found.get("value"),
                prevalence=found.get("prevalence"),
                machine=float(score) > self.cutoff,
                person=person,
            )
        )


def document_id(text: str, metadata: Mapping[str, Any] | None = None) -> str:
    """The name that a document has in its metadata, else one made from its text, which cannot be read back.

    Examples
    --------
    >>> document_id("RAG", {"jd_id": "jd-3"}), document_id("RAG")
    ('jd-3', 'text-f77fb5fc13e89e5d')
    """
    for name in ID_NAMES:
        if (metadata or {}).get(name) not in (None, ""):
            return str((metadata or {})[name])
    return "text-" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _checked(made: Decision) -> Decision:
    for name in (made.jd_id, made.resume_id):
        if not name.strip() or len(name) > LONGEST_NAME or "\n" in name:
            raise InputError(
                _("{name} cannot name a document in the log; give a short id, never its text.").format(
                    name=f"{name!r:.60}"
                )
            )
    if not math.isfinite(made.score):
        raise InputError(_("The score is {score!r}; a finite number is needed.").format(score=made.score))
    if made.person is not None and not made.who:
        raise InputError(_("Say who decided: a decision of a person has a name."))
    return made


def _ends_a_line(file: Any) -> bool:
    file.seek(-1, os.SEEK_END)
    return bool(file.read(1) == b"\n")
