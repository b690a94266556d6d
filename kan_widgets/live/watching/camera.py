"""Take frames of a model's layers and keep them: the throttle says when, the history how many."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter

from kan_widgets.arrays import Float32
from kan_widgets.functions import LayerFunctions, sampled_again
from kan_widgets.functions.coefficients import Rewriter
from kan_widgets.live.budget import MAX_SHARE, TOTAL_SHARE, UNSEEN_SHARE, Throttle
from kan_widgets.live.frames.coefficient_copies import Copy, recopy_of
from kan_widgets.live.frames.frame import Frame, History
from kan_widgets.live.frames.large_layers import Looking
from kan_widgets.live.frames.layout import Layout, LayoutKey, Names, build_layout, vectors_of
from kan_widgets.live.model.layers import BoundLayers
from kan_widgets.live.steering.counter import Stepping

# Seconds to try to read between two steps where these are counted by hand.
_PATIENCE_TO_READ = 2.0
_TRIES = 3
# Most whole frames a second where pages show only parts of them.
_WHOLE_FPS = 1.0
# Share of the watching budget that frames get, relative to other kinds of work (1): all views
# wait for them.
_WEIGHT = 4.0


def history_shares(history_bytes: int, layout: Layout, is_large: bool) -> tuple[int, int]:
    """Return the bytes for whole frames, and those for frames of what was looked at.

    Half each; all for the latter where not even one whole frame fits between the first and the
    latest, which are kept in any case.
    """
    if not is_large:
        return history_bytes, 0
    half = history_bytes // 2
    return (half, half) if 4 * layout.size <= half else (0, history_bytes)


@dataclass(frozen=True, eq=False)
class Started:
    """A frame whose coefficients may still be on their way."""

    step: int
    layout: Layout
    copy: Copy
    whole: Layout | None = None
    """What the layout is a cut of, if it is one."""


class Camera:
    """Takes frames of some layers. The first one is taken at once, at ``step``.

    A frame is started (`take`, `begin_now`), developed once its coefficients have arrived, and
    kept. A new layout must be announced before its first frame is kept.
    Where a frame is larger than what is looked at, most of those that `take` returns are
    *glimpses*: frames of what is looked at, of a layout that is a cut.
    """

    def __init__(
        self,
        layers: BoundLayers,
        *,
        history_bytes: int,
        max_fps: float = 30.0,
        step: int = 0,
        names: Mapping[str, Names] | None = None,
    ) -> None:
        self.layers = layers
        self._names, self._is_renamed = names or {}, False
        self.looking = Looking()
        self.throttle = Throttle(max_fps, TOTAL_SHARE, weight=_WEIGHT)
        self._whole_throttle = Throttle(_WHOLE_FPS)
        self._takes_whole = False
        start = perf_counter()
        read = layers.read()
        beside = layers.vectors()
        layout = build_layout(read, None, self._names, vectors_of(beside))
        self.history = History(0)
        """Whole frames."""
        self.glimpses = History(0)
        """Frames of what was looked at, where whole ones are taken seldom."""
        self._layout_key = LayoutKey.of(read)
        # Only for the thread that trains.
        self._rewriters: list[Rewriter | None] = [layer.rewriter for layer in read]
        self._read_with = layout
        self._recopy: Callable[[], Float32 | None] | None = None
        self._recopied: Layout | None = None
        self.history.append(Frame(step, layout, Copy(read, beside=beside.values()).data()))
        self.limit(max_fps, history_bytes)
        if self.looking.cut(layout) is not layout:
            # The next whole one comes once the training has taken long enough for it.
            now = perf_counter()
            self._whole_throttle.spent(now, now - start)
        self.taken = 1
        """Frames kept so far, of whichever kind."""
        self.coming: Started | None = None
        """The frame taken last, where it has not arrived yet."""

    def limit(self, max_fps: float, history_bytes: int) -> None:
        """Limit the frames per second, and the bytes of them that are kept, from now on."""
        self.throttle.interval = 1 / max_fps
        is_large = self.looking.cut(self.layout) is not self.layout
        shares = history_shares(history_bytes, self.layout, is_large)
        self.history.max_bytes, self.glimpses.max_bytes = shares

    @property
    def layout(self) -> Layout:
        """The layout of the frame kept last."""
        return self.history.latest.layout

    def take(self, step: int) -> Frame | None:
        """Take a frame between two steps, in the thread that trains.

        Layers are read again only where they changed. ``None`` if the frame is still on its way,
        to be asked for with `arrived`.
        """
        cut = self.looking.cut(self.layout)
        self._takes_whole = cut is not self.layout and self._whole_throttle.is_open(perf_counter())
        return self._take(step, self.layout if self._takes_whole else cut)

    def take_whole(self, step: int) -> Frame | None:
        """Take a frame as `take` does, of all layers whatever is looked at."""
        return self._take(step, self.layout)

    def stride(self, now: float, before: int) -> int:
        """Return the stride: of as many steps at which a frame is due, one is taken.

        Processes that have parts of one model take frames at the same steps, without a word.
        """
        is_split = any(layer.split for layer in self.layout.layers)
        return self.throttle.stride(now, before) if is_split else before

    def gain_viewer(self) -> None:
        """Note a new viewer: frames need not wait as they did while nobody looked."""
        self.throttle.allow(TOTAL_SHARE)
        self._whole_throttle.allow(MAX_SHARE)

    def spent(self, start: float, *, is_shown: bool) -> None:
        """Note that the frame taken last, and showing it, began at a time and has ended now.

        ``is_shown`` tells whether there is somebody to show it to.
        """
        seconds = perf_counter() - start
        self.throttle.most = TOTAL_SHARE if is_shown else UNSEEN_SHARE
        self._whole_throttle.most = MAX_SHARE if is_shown else UNSEEN_SHARE
        if self._takes_whole:
            self._whole_throttle.spent(start, seconds)
        self.throttle.spent(start, 0.0 if self._takes_whole else seconds)

    def owe(self, seconds: float, *, whole: bool) -> None:
        """Note the time another thread spent sending a frame, or recording a whole one."""
        is_large = whole and self.looking.cut(self.layout) is not self.layout
        (self._whole_throttle if is_large else self.throttle).owe(seconds)

    def _take(self, step: int, layout: Layout) -> Frame | None:
        """Take a frame with the layout there was last, or with a cut of it."""
        # A copier has memory of its own: large frames, which are rare, get none.
        often = layout.is_cut or self.looking.cut(layout) is layout
        if often and self._read_with is self.layout:
            if self._recopied is not layout:
                self._recopied = layout
                self._recopy = recopy_of(self._rewriters, layout, self.layers.vectors)
            if self._recopy is not None and (data := self._recopy()) is not None:
                self.coming = None
                return Frame(step, layout, data)
        read = self.layers.read()
        self.coming = self._start(read, step, layout)
        self._rewriters, self._recopied = [layer.rewriter for layer in read], None
        self._read_with = self.coming.whole or self.coming.layout
        return self.arrived()

    def arrived(self) -> Frame | None:
        """Return the frame that was on its way, if it is there by now."""
        if self.coming is None or not self.coming.copy.is_ready():
            return None
        return self.develop(self.coming)

    def develop(self, started: Started) -> Frame | None:
        """Return a frame once it has arrived; ``None`` if a later one has been kept meanwhile."""
        if started is self.coming:
            self.coming = None
        if started.step < self.history.latest.step:  # another thread was faster
            return None
        return Frame(started.step, started.layout, started.copy.data())

    def keep(self, frame: Frame) -> None:
        """Put a frame into the history, or among the glimpses."""
        (self.glimpses if frame.layout.is_cut else self.history).append(frame)
        self.taken += 1

    def begin_now(self, step: Callable[[], int], stepping: Stepping | None = None) -> Started:
        """Start a frame of the present, from any thread.

        ``step`` says which step is counted by now. Where the optimizer's are counted it is read
        between two of them. Else it is read again while steps are counted meanwhile, for up to
        two seconds.
        """

        def taken(counted: int) -> Started:
            for _ in range(_TRIES):
                with sampled_again():
                    layers = self.layers.read()
                started = self._start(layers, counted)
                # Their coefficients were put together after they were read: another thread may
                # have moved a grid meanwhile, which exchanges the basis too.
                if [one.bases for one in self.layers.read()] == [one.bases for one in layers]:
                    break
            return started

        if stepping is not None:
            return stepping.read_between_steps(lambda: taken(step()))
        end = perf_counter() + _PATIENCE_TO_READ
        while True:
            counted = step()
            started = taken(counted)
            # A step counted in between may have changed what was read.
            if step() == counted or perf_counter() > end:
                return started

    def read_again(self) -> None:
        """Read all layers for the next frame: there may be others."""
        self._rewriters, self._recopied = [None], None

    def rename(self, names: Mapping[str, Names]) -> None:
        """Rename outputs and inputs, from the next frame on whose layers are read again."""
        self._names, self._is_renamed = names, True

    def close(self) -> None:
        """Take no more; the history stays."""
        self.layers.forget()
        self._recopy = None
        self._rewriters = [None]

    def _start(
        self, read: list[LayerFunctions], step: int, wanted: Layout | None = None
    ) -> Started:
        layout, key, beside = self.layout, LayoutKey.of(read), self.layers.vectors()
        vectors, is_same = vectors_of(beside), self._layout_key.fits(key)
        if self._is_renamed or not is_same or vectors != layout.beside:
            self._is_renamed = False
            layout = build_layout(read, layout, self._names, vectors)
            self._layout_key = key
        if wanted is not None and wanted.is_cut and layout is self.layout:
            return Started(step, wanted, Copy(read, wanted), layout)
        return Started(step, layout, Copy(read, beside=beside.values()))
