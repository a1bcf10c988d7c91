"""Pictures that are no upright, whole, frontal chest film: real ones from other files, films changed, and drawn ones.

All are N-like float32 [size, size] in 0..1. Each kind is a function of a film and a random generator; ``HELD_OUT``
kinds are never learnt from, so that the figures say something about pictures that nobody thought of."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage


def stretched(a: np.ndarray) -> np.ndarray:
    low, high = float(a.min()), float(a.max())
    return ((a - low) / (high - low if high > low else 1)).astype(np.float32)


def grown(a: np.ndarray, size: int) -> np.ndarray:
    return np.clip(ndimage.zoom(a, (size / a.shape[0], size / a.shape[1]), order=1), 0, 1).astype(np.float32)


def cropped(film: np.ndarray, rng: np.random.Generator, share: float) -> np.ndarray:
    """A window of ``share`` of each side, anywhere, grown to the whole."""
    size = len(film)
    part = max(8, round(size * share))
    top, left = rng.integers(0, size - part + 1, 2)
    return stretched(grown(film[top : top + part, left : left + part], size))


def quarter(film: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One of the four quarters."""
    half = len(film) // 2
    top, left = rng.integers(0, 2, 2) * half
    return stretched(grown(film[top : top + half, left : left + half], len(film)))


def half_film(film: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Left, right, upper or lower half, stretched to the whole or beside black."""
    half, size = len(film) // 2, len(film)
    part = [film[:, :half], film[:, half:], film[:half], film[half:]][rng.integers(4)]
    if rng.random() < 0.5:
        return stretched(grown(part, size))
    kept = np.zeros_like(film)
    kept[: part.shape[0], : part.shape[1]] = part
    return stretched(kept)


def turned(film: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return ndimage.rotate(
        film, rng.uniform(35, 325), reshape=False, order=1, mode=["constant", "nearest"][rng.integers(2)]
    ).clip(0, 1)


def blurred(film: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return stretched(ndimage.gaussian_filter(film, len(film) * rng.uniform(0.035, 0.12)))


def noisy(film: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Film under noise as strong as itself."""
    return stretched(film + rng.normal(0, rng.uniform(0.5, 1.5), film.shape))


def noise(film: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """No film at all: noise from white to cloudy."""
    return stretched(
        ndimage.gaussian_filter(rng.standard_normal(film.shape), rng.choice([0, 0, 1, 3, 8, 16]))
        ** rng.choice([1, 1, 3])
    )


def text_page(film: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Lines of letters, black on white or white on black."""
    size = len(film)
    picture = Image.new("L", (2 * size, 2 * size), 255)
    draw = ImageDraw.Draw(picture)
    step = int(rng.integers(10, 40))
    for y in range(int(rng.integers(0, 40)), 2 * size, step):
        if rng.random() < 0.85:
            letters = "".join(chr(c) for c in rng.integers(33, 123, int(rng.integers(3, 70))))
            draw.text(
                (int(rng.integers(0, 60)), y), letters, fill=int(rng.integers(0, 120)), font=ImageFont.load_default()
            )
    page = np.asarray(picture.resize((size, size), Image.BILINEAR), np.float32) / 255
    return stretched(page if rng.random() < 0.5 else 1 - page)


def blank_with_text(film: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Empty but for a marker or a caption."""
    size = len(film)
    ground = float(rng.random())
    a = np.full((size, size), ground, np.float32) + rng.normal(0, rng.choice([0, 0.01]), (size, size))
    high, wide = int(rng.integers(3, size // 4)), int(rng.integers(5, size // 2))
    y, x = int(rng.integers(0, size - high)), int(rng.integers(0, size - wide))
    a[y : y + high, x : x + wide] = np.where(rng.random((high, wide)) < 0.5, 1 - round(ground), ground)
    return stretched(a)


def drawn(film: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Gradients, stripes, boards, rings and blobs."""
    size = len(film)
    y, x = np.mgrid[:size, :size] / size - 0.5
    angle, period = rng.uniform(0, 2 * math.pi), rng.uniform(0.03, 0.7)
    along, across = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
    radius = np.hypot(x - rng.uniform(-0.3, 0.3), y - rng.uniform(-0.3, 0.3))
    kinds = [
        along,
        np.sin(2 * math.pi * along / period),
        np.sign(np.sin(along / period * 6) * np.sin(across / period * 6)),
        np.cos(radius * 2 * math.pi / period),
        -radius,
        np.exp(-((radius / period) ** 2)),
        np.sign(radius - period / 2),
        np.abs(along) + np.abs(across),
    ]
    return stretched(
        kinds[rng.integers(len(kinds))] * rng.choice([-1, 1]) + rng.normal(0, rng.choice([0, 0.05]), film.shape)
    )


def screen_photograph(film: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A film on a light box or screen, photographed from the side: a perspective, with what lies around it."""
    size = len(film)
    ground = stretched(ndimage.gaussian_filter(rng.standard_normal((size, size)), rng.uniform(1, 20))) * rng.uniform(
        0.1, 0.9
    )
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * 0.6 + 0.2 + rng.uniform(-0.15, 0.15, (4, 2))
    to = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float)
    rows = [
        r
        for (u, v), (s, t) in zip(corners, to, strict=True)
        for r in ([u, v, 1, 0, 0, 0, -s * u, -s * v], [0, 0, 0, u, v, 1, -t * u, -t * v])
    ]
    h = np.append(np.linalg.solve(np.array(rows), to.ravel()), 1).reshape(3, 3)
    y, x = (np.mgrid[:size, :size] + 0.5) / size
    s, t, w = np.tensordot(h, np.stack([x, y, np.ones_like(x)]), 1)
    s, t = s / w, t / w
    inside = (s > 0) & (s < 1) & (t > 0) & (t < 1) & (w > 0)
    seen = ndimage.map_coordinates(film, [np.clip(t, 0, 1) * (size - 1), np.clip(s, 0, 1) * (size - 1)], order=1)
    return stretched(np.where(inside, seen, ground))


def small_on_ground(film: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The whole film, small, somewhere on an even ground."""
    size = len(film)
    part = int(size * rng.uniform(0.25, 0.6))
    a = np.full((size, size), rng.choice([0.0, 1.0, rng.random()]), np.float32)
    top, left = rng.integers(0, size - part + 1, 2)
    a[top : top + part, left : left + part] = grown(film, part)
    return stretched(a)


def tiles_mixed(film: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The film cut into tiles that changed places."""
    count = int(rng.choice([2, 4, 7]))
    part = len(film) // count
    order = rng.permutation(count * count)
    a = (
        film[: part * count, : part * count]
        .reshape(count, part, count, part)
        .swapaxes(1, 2)
        .reshape(-1, part, part)[order]
    )
    return stretched(grown(a.reshape(count, count, part, part).swapaxes(1, 2).reshape(part * count, -1), len(film)))


def rolled(film: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.roll(
        film, (int(len(film) * rng.choice([0, 0.5, 0.35])), int(len(film) * rng.choice([0.5, 0.4, 0.6]))), (0, 1)
    )


def contact_sheet(film: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Held out: the film several times beside itself."""
    count = int(rng.integers(2, 5))
    one = grown(film, len(film) // count)
    return stretched(grown(np.tile(one, (count, count)), len(film)))


def posterised_edges(film: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Held out: edges only."""
    return stretched(ndimage.gaussian_gradient_magnitude(film, 1.0))


def shuffled_rows(film: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Held out: bands of rows out of order."""
    band = int(rng.choice([1, 4, 14]))
    return film.reshape(len(film) // band, band, -1)[rng.permutation(len(film) // band)].reshape(film.shape)


def half_inverted(film: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Held out: one side inverted."""
    a = film.copy()
    a[:, : len(a) // 2] = 1 - a[:, : len(a) // 2]
    return a


def solarised(film: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Held out: grey values folded over, as a wrong lookup table does."""
    return stretched(np.abs(2 * film - 1))


KINDS = {
    "inverted": lambda film, rng: 1 - film,
    "turned 90": lambda film, rng: np.rot90(film, 1 if rng.random() < 0.5 else 3),
    "turned 180": lambda film, rng: film[::-1, ::-1],
    "upside down": lambda film, rng: film[::-1],
    "turned by any angle": turned,
    "quarter": quarter,
    "crop of half each side": lambda film, rng: cropped(film, rng, rng.uniform(0.3, 0.5)),
    "half film": half_film,
    "blurred": blurred,
    "noise over film": noisy,
    "noise": noise,
    "text page": text_page,
    "blank with text": blank_with_text,
    "drawn": drawn,
    "photograph of a screen": screen_photograph,
    "small on a ground": small_on_ground,
    "tiles mixed": tiles_mixed,
    "rolled": rolled,
}
HELD_OUT = {
    "contact sheet": contact_sheet,
    "edges only": posterised_edges,
    "rows shuffled": shuffled_rows,
    "one side inverted": half_inverted,
    "solarised": solarised,
}
#: Known not to be told from a film; measured all the same.
NOT_AIMED_AT = {"mirrored": lambda film, rng: film[:, ::-1]}


def make(kind: str, film: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    made = (KINDS | HELD_OUT | NOT_AIMED_AT)[kind](film, rng)
    return np.ascontiguousarray(np.clip(made, 0, 1), np.float32)
