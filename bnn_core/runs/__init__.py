"""A training run as a folder of small facts: written, read, found, branched, shipped.

    writer        train() into a folder: events one by one, snapshots, checkpoints, the model and its card
    checkpoints   the latest place to go on from, and those that are kept for branching
    folder        RunFolder: reading one, also while it grows
    find          which runs there are, and where one lies
    past          a run's moments, as its records tell them
    recompute     the state of such a moment again, from the nearest checkpoint
    branch        a new run that leaves another one there
    ship          a finished run as one of the networks that come with the project

Its files and ids are named in :mod:`bnn_core.names`, its records in :mod:`bnn_core.training.events`.
"""
