"""Both phases of a run as an iterator of events (torch).

Phase 1 trains a real network whose weights are pressed towards -1 and +1 (weight compression, section
3.1). Phase 2 binarises it before every step and lets the error of the *binarised* network train the
latent weights (noisy back-propagation, section 3.2).

    start      train(), from the start or from a checkpoint
    run        which events, in which order
    learner    the latent network, its optimiser, one step of either phase; all that as arrays
    latent     the latent network: both forward passes
    binarize   from real numbers to bits: boundary, pseudo-gradient, flips
    norm       batch-norm, folded into integers
    material   the digits as it reads them
    schedule   where a run stands; learning rate and gain
    streams    every random number, from seed and place
    measure    errors, and weights by layer
    control    how another thread pauses, stops and sets a run
    events     what it tells while it goes on: the records of a run (no torch)
"""
