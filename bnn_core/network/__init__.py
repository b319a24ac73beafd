"""Networks as values: bitwise, real, and what is made of them.

    bitwise      BitwiseNetwork: packed layers; predict, scores, trace, load, save
    model_file   its layers and facts as one file, and back, checked
    real         RealNetwork: phase 1's network in NumPy, its real-valued twin
    construct    a strict network that decides as a threshold network does
    faults       broken bits, and what is still read right

None is changed in place, and none needs torch.
"""
