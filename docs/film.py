"""Draw the moving picture that README begins with: a network while it learns.

``python docs/film.py docs/images/network.gif`` replays the run that ``see_a_kan_learn.py`` records.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageSequence

import kan_widgets as kw

CHECKOUT = Path(__file__).parents[1]
FONT = CHECKOUT / "kan_widgets" / "widgets" / "font" / "kan-widgets-600.otf"
WIDTH, HEIGHT, STRIP = 860, 480, 32
DRAWN = 588  # of it the row below the diagram is cut off
CAPTIONS = (
    (0, "At the start every function is a scaled SiLU, and the answer a guess."),
    (1, "Each step bends the functions a little, until the answer is right."),
    (400, "The functions go on changing. Pink: lower than at the start. Green: higher."),
)


def main() -> None:
    """Write the film."""
    parser = argparse.ArgumentParser(description="Draw the moving picture of README.")
    parser.add_argument("to", type=Path)
    parser.add_argument("--run", type=Path, default=CHECKOUT / "build/see_a_kan_learn/run")
    asked = parser.parse_args()
    run = kw.replay(asked.run)
    steps = [frame.step for frame in run.history]
    with tempfile.TemporaryDirectory() as folder:
        view = kw.NetworkView(run, height=DRAWN)
        drawn = view.animate(f"{folder}/film.webp", width=WIDTH, pixel_ratio=1, quiet=True)
        with Image.open(drawn) as film:
            frames = [
                captioned(frame, step)
                for frame, step in zip(ImageSequence.Iterator(film), steps, strict=True)
            ]
    shown = [2400, *(240 if step < 80 else 140 for step in steps[1:-1]), 3000]
    first, *others = frames
    first.save(asked.to, save_all=True, append_images=others, duration=shown, loop=0)
    print(f"{asked.to}: {len(frames)} frames, {asked.to.stat().st_size / 1e6:.2f} MB")


def captioned(drawn: Image.Image, step: int) -> Image.Image:
    """Return the diagram at a step, over what there is to see, in no more than 256 colours."""
    whole = Image.new("RGB", (WIDTH, HEIGHT), "white")
    whole.paste(drawn.convert("RGB").crop((0, 0, WIDTH, HEIGHT - STRIP - 15)))
    words = [text for start, text in CAPTIONS if step >= start][-1]
    strip = Image.new("L", (WIDTH, STRIP), 255)
    ImageDraw.Draw(strip).text((10, 7), words, 25, ImageFont.truetype(str(FONT), 15))
    greys = Image.fromarray(np.asarray(strip) // 5 * 5)  # the film has these
    whole.paste(greys.convert("RGB"), (0, HEIGHT - STRIP))
    colours, places = np.unique(np.asarray(whole).reshape(-1, 3), axis=0, return_inverse=True)
    indexed = Image.fromarray(places.reshape(HEIGHT, WIDTH).astype(np.uint8), "P")
    indexed.putpalette(colours.tobytes())
    return indexed


if __name__ == "__main__":
    main()
