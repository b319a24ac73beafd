"""The paper's table, and the curves that teach, as experiments that anyone can run again.

    experiments   what is run: configurations by name, in groups, with the paper's numbers beside them
    runner        runs them, seed by seed, each in a run folder that can be resumed
    results       what came out, as data: ``results.json``, one record an experiment and seed
    tables        Markdown made from it, also where the README has its marks

``python -m bnn_core reproduce`` runs the paper's table; ``--only`` a group or one experiment.
"""

from bnn_core.reproduce.experiments import EXPERIMENTS, GROUPS, Experiment, chosen
from bnn_core.reproduce.results import RESULTS_FILE, Results

__all__ = ["EXPERIMENTS", "GROUPS", "RESULTS_FILE", "Experiment", "Results", "chosen"]
