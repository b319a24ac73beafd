"""The pages of Bitwise Explorer: numbers come from `bnn_core`, torch is never imported here."""
