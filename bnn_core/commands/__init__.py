"""The command line, ``python -m bnn_core``: one file a concern, all registered in ``app``.

    app         every command in its order; errors as one sentence and an exit code
    options     what several commands take
    train       train, resume, branch
    terminal    a run as a person sees it: a bar, a line an epoch, the outcome
    worker      worker: runs on behalf of a page, in a process of its own
    models      models, evaluate, predict
    bench       bench
    runs        runs
    fields      fields
    reproduce   reproduce
    keep        ship and readme, for those who keep the project

A command prints; what it does is elsewhere in :mod:`bnn_core`.
"""
