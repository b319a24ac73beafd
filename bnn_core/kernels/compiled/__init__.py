"""Machine code for the popcount and table kernels, written for the processor at hand by LLVM."""
