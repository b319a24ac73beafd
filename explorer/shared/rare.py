"""Which input bits are nearly never on: noise to the eye, so that pictures of weights fade them."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from bnn_core.datasets.features import input_bits
from explorer.server import catalogue

RARE = 0.01
"""The share of the training digits below which an input bit counts as such."""


@st.cache_resource(show_spinner=False, max_entries=8)
def rare_inputs(features: str, threshold: int) -> NDArray[np.uint8]:
    """(inputs,) uint8: 1 where an input bit is on in fewer than 1 % of the training digits."""
    images = catalogue.digits().train_images
    on = np.zeros(input_bits(images[:1], features, threshold).shape[1], np.int64)
    for start in range(0, len(images), 10_000):  # 60,000 digits' bits at once would be 50 MB
        on += input_bits(images[start : start + 10_000], features, threshold).sum(axis=0, dtype=np.int64)
    return (on < RARE * len(images)).astype(np.uint8)
