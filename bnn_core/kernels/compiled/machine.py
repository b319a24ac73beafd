"""The processor at hand, as far as the kernels ask, and a target for LLVM to write code for."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Machine:
    """A kind of processor.

    Attributes:
        triple: LLVM's name of architecture and system.
        cpu: LLVM's name of the processor, "" for the plainest of its architecture.
        features: what it can do beyond or short of that name, as LLVM writes it: "+avx2,-avx512f".
    """

    triple: str
    cpu: str = ""
    features: str = ""

    @classmethod
    @functools.cache
    def here(cls) -> Machine:
        """The processor at hand.

        The features are asked for one by one: a virtual machine may hide what the name promises.

        Raises:
            ImportError: llvmlite is not there.
            OSError: the library behind llvmlite cannot be loaded.
        """
        import llvmlite.binding as llvm

        features: dict[str, bool] = llvm.get_host_cpu_features()
        flat = ",".join(f"{'+' if on else '-'}{name}" for name, on in sorted(features.items()))
        return cls(llvm.get_process_triple(), llvm.get_host_cpu_name(), flat)

    @property
    def x86(self) -> bool:
        """64-bit Intel and AMD."""
        return self.triple.startswith("x86_64")

    @property
    def arm(self) -> bool:
        """64-bit Arm."""
        return self.triple.startswith(("aarch64", "arm64"))

    def has(self, feature: str) -> bool:
        """Whether the processor has a feature, by LLVM's name."""
        return f"+{feature}" in self.features.split(",")

    @property
    def lookup_bytes(self) -> int:
        """Bytes that one instruction looks up in a table of 16; 0 if there is none."""
        if self.x86:
            sizes = {"avx512bw": 64, "avx2": 32, "ssse3": 16}
            return next((size for feature, size in sizes.items() if self.has(feature)), 0)
        return 16 if self.arm else 0

    @property
    def counts_words(self) -> bool:
        """Whether one instruction counts the bits of every 64-bit word of a vector."""
        return self.has("avx512vpopcntdq")

    @property
    def identity(self) -> str:
        """What machine code depends on, besides its source."""
        import llvmlite

        return f"{self.triple} {self.cpu} {self.features} llvmlite {llvmlite.__version__}"

    def target(self) -> Any:
        """An llvmlite target machine, for code that is to run in this process.

        Raises:
            RuntimeError: LLVM knows no such target.
        """
        import llvmlite.binding as llvm

        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        return llvm.Target.from_triple(self.triple).create_target_machine(
            cpu=self.cpu, features=self.features, opt=2, codemodel="jitdefault", jit=True
        )
