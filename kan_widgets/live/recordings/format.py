"""The file of a recorded run, version 1: what is in it, how it is written, how it is read.

A recording is a zip of members that are stored, not compressed, one after the other
(`kan_widgets.live.recordings.archive`). Arrays are ``.npy`` members without pickles, words are
UTF-8 JSON: nothing in it is ever executed. A member counts once all its bytes are there and its
checksum is right. So a recording can be read while it is written, and after its writer was
killed; closed, it is an ``.npz`` that ``numpy.load`` opens.

The first member is ``kan_widgets.json``::

    {"format": "kan_widgets recording", "version": 1, "id": "…", "copy": 0, "model": "KANCNN",
     "kan_widgets": "0.1.0", "started": "2025-01-31T12:00:00+00:00",
     "host": "node7", "process": 4711}

``host`` and ``process`` are the writer's, who holds a lock on the file, so that whoever else would
write there can be told (`kan_widgets.live.recordings.destination.claimed`). ``id`` tells runs
apart. ``copy`` grows when the file was thinned: a copy without some of the records has taken its
place. All others are records, named ``00000042/kind.npy`` or ``00000042/kind.json``. Their numbers
only rise, and a record refers to earlier ones by number. A kind that a reader does not know is
passed over.

=============  ===================================================================================
kind           what it holds
=============  ===================================================================================
table.npy      float32 ``(P, 1 + nb)``: the points x in column 0, rising, and β of each basis
               function there; arrays are little-endian
index.npy      uint32 ``(functions,)``: which of a layer's tables each function uses
layout.json    ``layers``: for each its ``name``, ``kind``, ``type``, ``shape`` (out, in, kh, kw),
               ``nb`` basis functions, ``offset`` in a frame, ``labels`` and ``is_base`` of the
               basis functions, ``domain``, ``extent``, ``knots``, ``variable``, ``note``,
               ``conv``, ``locked``, ``names`` of the outputs and ``input_names`` where they
               have some, ``tables`` (each ``record``, ``domain``, ``extent``, ``knots``) and
               ``table_of`` (an index, or null); ``beside``: ``name`` (its path in the model) and
               ``size`` of each vector that frames have beside coefficients; ``parameters``: how
               many are trained, ``total``, and in which ``parts``, or null
frame.npy      one structured value: ``step`` (int64), ``layout`` (int32, a record), ``seconds``
               (float64, since the recording began), ``data`` (float32): coefficient b of
               function f = ((o·in + i)·kh + r)·kw + c of a layer is at ``offset + f·nb + b``; and
               ``beside`` (float32): biases, and scales and statistics of norms, as they were then
series.json    ``name`` of something that is logged
values.npy     ``(n,)`` structured: ``series`` (int32, a record), ``step`` (int64), ``value``
               (float64)
mark.json      ``step`` and ``text``
array.npy      an array that a later record refers to
observed.json  ``layers``: the inputs of each layer for a batch, see
               `kan_widgets.live.frames.observation.Observation`; ``arrays`` by name are records
network.json   how the network is put together, see
               `kan_widgets.live.frames.structure.structure_dict`; the last one counts
probe.json     the examples followed from here on: ``inputs``, an array, float32 ``(n, …)``, or
               null for none any more; ``labels``: the right class of each, or null
activity.json  what they made of the network: ``step``; ``layout``, a record; ``values``, by
               ``station``: the ``shape`` (n, …), and of each example ``low`` and ``high``;
               ``extras``: ``station``, ``name`` and ``shape``; ``data``, an array, uint8: all
               values one after another, v for low + v / 255 · (high − low); ``more``, an array,
               float32: all extras one after another
status.json    how the training goes; the last one counts
=============  ===================================================================================

φ of a function at x[p] is Σ_b data[offset + f·nb + b] · table[p, 1 + b].

Examples
--------
>>> import numpy as np, pathlib, tempfile, kan_widgets as kw
>>> live = kw.bind(model := kw.nn.KANLinear(2, 3))
>>> path = live.save(pathlib.Path(tempfile.mkdtemp()) / "run.npz")
>>> with np.load(path) as file:
...     print([name for name in file if "/" in name])
...     print(file["00000003/frame"]["data"].shape)
['00000001/table', '00000002/layout.json', '00000003/frame', '00000004/status.json']
(54,)
"""

from __future__ import annotations

import re

FORMAT = "kan_widgets recording"
VERSION = 1
HEADER = "kan_widgets.json"
NAME = re.compile(r"(\d{8,})/(\w+)\.(npy|json)")
ARRAYS = ("edges", "counts", "outside_domain", "outside_extent", "patches", "maps")
