"""The compiled kernels: their C++ source, and how it is compiled, cached and called.

`native` decides whether layers use them, `compiler` makes the library of ``local.cpp``,
`library_cache` keeps it for the next process, and `local` calls it.
"""
