"""The compiled kernels: their C++ source, how it is compiled, cached and called.

`native` decides whether layers use them. `compile_options` says how ``local.cpp`` and
``runtime.cpp`` become a library: in a wheel, which `bundled` finds, or on the machine, by
`compiler`, which keeps it for the next process. `local` calls what either comes to.
"""
