"""Which digits are shown, by how a network answers to them."""

from __future__ import annotations

import numpy as np

from explorer.server.answers import Answers, hardest, misread, one_of_each, search


def test_right_is_told_from_wrong_and_sure_from_unsure() -> None:
    scores = np.array([[9, 1, 0], [0, 4, 3], [5, 6, 0], [1, 1, 0], [0, 0, 8]], np.int32)
    known = Answers.of(scores, np.array([0, 1, 0, 0, 2]))
    assert known.read.tolist() == [0, 1, 1, 0, 2]
    assert known.margin.tolist() == [8, 1, 1, 0, 8]
    assert known.errors == 1
    assert one_of_each(known, 3).tolist() == [0, 1, 4]
    assert hardest(known).tolist() == [3, 1, 0, 4]
    assert misread(known).tolist() == [2]
    assert search(known, kind="all", label=0).tolist() == [0, 2, 3]
    assert search(known, kind="misread", label=2).tolist() == []
