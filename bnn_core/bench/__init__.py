"""The bench: how long bitwise inference takes here, beside the same network in float32.

    contest     times contestants in turns, so that whatever slows the machine slows them all
    baselines   the float networks, and other engines that are installed
    cost        memory, operations and energy of one digit: counted, not timed
    machine     what it was measured on
    training    training steps beside a plain torch network's (torch)
    start       from the import to the first answer, in processes of their own
    measure     all of it for one network, and whether every kernel gave the oracle's integers

``python -m bnn_core bench`` prints a report; the Watch page shows the figures of one digit.
"""

from bnn_core.bench.cost import Cost, cost
from bnn_core.bench.measure import BATCHES, one_digit, random_network, report

__all__ = ["BATCHES", "Cost", "cost", "one_digit", "random_network", "report"]
