"""The compiled kernels: their C++ source, how it is compiled, cached and called.

`native` decides whether layers use them. `recipe` says how ``local.cpp`` and ``runtime.cpp`` become
a library: in a wheel, which `bundled` finds, or on the machine, by `compiler`, kept by
`library_cache` for the next process. `local` calls what either comes to.
"""
