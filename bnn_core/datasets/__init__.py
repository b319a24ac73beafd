"""Digits and their pictures.

digits     Digits: MNIST, or any other set of IDX files; what trains and what chooses
idx        the reader of such a file
features   how grey levels become bits
image      pictures from outside, made as MNIST's digits were
"""
