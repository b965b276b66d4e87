#!/usr/bin/env python3
"""Draws what `tmux capture-pane -e -p` gives as an SVG.

    tmux capture-pane -e -p | docs/screen_svg.py COLUMNS ROWS dark|light "what it shows" > screen.svg
"""

import re
import sys
import unicodedata
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 8, 17
# The terminal's own colours: text, background, then the sixteen.
SIXTEEN = ("1c1c1c d75f5f 87af5f d7af5f 5f87d7 af87d7 5fafaf d0d0d0 767676 ff8787 afd787 ffd787 87afff d7afff 87d7d7 ffffff").split()
TERMINALS = {"dark": ("d0d0d0", "121212"), "light": ("1c1c1c", "fafafa")}
# Which way a line goes from the middle of its cell: left, right, up, down.
LINES = {"─": "lr", "│": "ud", "┌": "rd", "┐": "ld", "└": "ru", "┘": "lu", "├": "udr", "┤": "udl", "┬": "lrd", "┴": "lru", "┼": "lrud"}
BLOCKS = "▏▎▍▌▋▊▉█"


def palette(number):
    """One of the 256 colours."""
    if number < 16:
        return SIXTEEN[number]
    if number >= 232:
        return f"{8 + 10 * (number - 232):02x}" * 3
    steps = [0, 95, 135, 175, 215, 255]
    number -= 16
    return "".join(f"{steps[n]:02x}" for n in (number // 36, number // 6 % 6, number % 6))


def colour(codes):
    """The colour that 38 or 48 announces; takes its codes away."""
    if codes.pop(0) == 2:
        return "".join(f"{codes.pop(0):02x}" for _ in range(3))
    return palette(codes.pop(0))


class Style:
    def __init__(self, terminal):
        self.terminal = terminal
        self.reset()

    def reset(self):
        self.text, self.back = None, None
        self.flags = set()

    def take(self, codes):
        flags = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "reverse"}
        off = {22: {"bold", "dim"}, 23: {"italic"}, 24: {"underline"}, 27: {"reverse"}}
        while codes:
            code = codes.pop(0)
            if code == 0:
                self.reset()
            elif code in flags:
                self.flags.add(flags[code])
            elif code in off:
                self.flags -= off[code]
            elif code == 38:
                self.text = colour(codes)
            elif code == 48:
                self.back = colour(codes)
            elif code in (39, 49):
                setattr(self, "text" if code == 39 else "back", None)
            elif 30 <= code <= 37 or 90 <= code <= 97:
                self.text = palette(code - 30 if code < 90 else code - 82)
            elif 40 <= code <= 47 or 100 <= code <= 107:
                self.back = palette(code - 40 if code < 100 else code - 92)

    def colours(self):
        """Text and background as they are seen."""
        own_text, own_back = TERMINALS[self.terminal]
        text, back = self.text or own_text, self.back or own_back
        return (back, text) if "reverse" in self.flags else (text, back)

    def key(self):
        shown = self.flags & {"bold", "dim", "italic", "underline"}
        return (*self.colours(), " ".join(sorted(shown)))


def cells(line, style):
    """The characters of a line, each with its column and look."""
    column = 0
    for piece in re.split(r"(\x1b\[[0-9;:]*m)", line):
        if piece.startswith("\x1b["):
            style.take([int(code or 0) for code in re.split("[;:]", piece[2:-1])])
            continue
        for character in piece:
            yield column, character, style.key()
            column += 2 if unicodedata.east_asian_width(character) in "WF" else 1


def drawn(character, x, y, colour):
    """Lines and blocks, which have to meet those of the next cell."""
    if character in LINES:
        middle_x, middle_y = x + WIDTH / 2, y + HEIGHT / 2
        ends = {"l": (x, middle_y), "r": (x + WIDTH, middle_y), "u": (middle_x, y), "d": (middle_x, y + HEIGHT)}
        path = "".join(f"M{middle_x:g} {middle_y:g}L{ends[way][0]:g} {ends[way][1]:g}" for way in LINES[character])
        return f'<path d="{path}" stroke="#{colour}"/>'
    if character in BLOCKS:
        width = WIDTH * (BLOCKS.index(character) + 1) / 8
        return f'<path d="M{x:g} {y:g}h{width:g}v{HEIGHT}h-{width:g}z" fill="#{colour}"/>'
    return None


def attributes(look):
    text, _, flags = look
    return (
        f'fill="#{text}"'
        + (' font-weight="bold"' if "bold" in flags else "")
        + (' font-style="italic"' if "italic" in flags else "")
        + (' opacity="0.65"' if "dim" in flags else "")
        + (' text-decoration="underline"' if "underline" in flags else "")
    )


def row(line, number, style):
    """One line: backgrounds, then lines and blocks, then runs of text of one look."""
    y, own = number * HEIGHT, TERMINALS[style.terminal][1]
    backs, shapes, runs = [], [], []
    for column, character, look in cells(line, style):
        x, back = column * WIDTH, look[1]
        if back != own:
            if backs and backs[-1][2] == back and backs[-1][1] == column:
                backs[-1][1] += 1
            else:
                backs.append([column, column + 1, back])
        if shape := drawn(character, x, y, look[0]):
            shapes.append(shape)
        elif character != " ":
            if runs and runs[-1][1] == look and runs[-1][0] + len(runs[-1][2]) == column:
                runs[-1][2] += character
            else:
                runs.append([column, look, character])
    for first, end, back in backs:
        yield f'<path d="M{first * WIDTH} {y}h{(end - first) * WIDTH}v{HEIGHT}h-{(end - first) * WIDTH}z" fill="#{back}"/>'
    yield from shapes
    for column, look, text in runs:
        place = f'x="{column * WIDTH}" y="{y + 13}" textLength="{len(text) * WIDTH}" lengthAdjust="spacingAndGlyphs"'
        yield f"<text {place} {attributes(look)}>{escape(text)}</text>"


def main():
    columns, rows, terminal, title = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
    width, height, margin = columns * WIDTH, rows * HEIGHT, 8
    print(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-{margin} -{margin} {width + 2 * margin} {height + 2 * margin}"'
        ' font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace" font-size="13" shape-rendering="crispEdges">'
    )
    print(f"<title>{escape(title)}</title>")
    size = f'width="{width + 2 * margin}" height="{height + 2 * margin}"'
    print(f'<rect x="-{margin}" y="-{margin}" {size} rx="6" fill="#{TERMINALS[terminal][1]}"/>')
    style = Style(terminal)
    for number, line in enumerate(sys.stdin.read().split("\n")[:rows]):
        for part in row(line, number, style):
            print(part)
    print("</svg>")


main()
