"""Which digits to show: the clearest of each class, the hardest still right, the misread ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Answers:
    """A network's answers to a set of digits.

    Attributes:
        labels: (n,) int64, the true classes.
        read: (n,) int64, what each digit was read as.
        margin: (n,) int64 >= 0, votes of the answer ahead of the runner-up.
    """

    labels: NDArray[np.int64]
    read: NDArray[np.int64]
    margin: NDArray[np.int64]

    @classmethod
    def of(cls, scores: NDArray[np.int32], labels: NDArray[np.integer]) -> Answers:
        """From (n, classes) integer sums; of equal sums the lowest class wins, as in the network."""
        order = np.sort(scores, axis=1)
        return cls(
            labels=labels.astype(np.int64),
            read=scores.argmax(axis=1).astype(np.int64),
            margin=(order[:, -1].astype(np.int64) - order[:, -2]),
        )

    @property
    def errors(self) -> int:
        """How many digits were misread."""
        return int((self.read != self.labels).sum())


def one_of_each(known: Answers, classes: int) -> NDArray[np.int64]:
    """For each class the digit that is read right by the most votes; classes without one are left out."""
    right = known.read == known.labels
    chosen = []
    for label in range(classes):
        members = np.flatnonzero(right & (known.labels == label))
        if len(members):
            chosen.append(members[known.margin[members].argmax()])
    return np.array(chosen, dtype=np.int64)


def hardest(known: Answers) -> NDArray[np.int64]:
    """Digits that are read right, the fewest votes ahead first."""
    right = np.flatnonzero(known.read == known.labels)
    return right[np.argsort(known.margin[right], kind="stable")]


def misread(known: Answers) -> NDArray[np.int64]:
    """Misread digits, the surest mistakes first."""
    wrong = np.flatnonzero(known.read != known.labels)
    return wrong[np.argsort(-known.margin[wrong], kind="stable")]


def search(known: Answers, *, kind: str, label: int | None) -> NDArray[np.int64]:
    """Digits of a class (None: of all): "all" in the order of the set, or only the "hardest" or "misread"."""
    order = {"all": np.arange(len(known.labels)), "hardest": hardest(known), "misread": misread(known)}[kind]
    return order if label is None else order[known.labels[order] == label]
