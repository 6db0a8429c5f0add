"""Writes fixture.json: half-space trees of river, a stream, and river's scores.

    python3 -m venv venv && venv/bin/pip install river==0.26.1
    venv/bin/python sentinel/tests/river/make_fixture.py > sentinel/tests/river/fixture.json

Values are integers. A value x is below a threshold t exactly if it is below ceil(t), so the trees are
written with integer thresholds and no score changes. The expected score is written as the sum of
mass * 2^depth over the trees, which is an integer: (1 - score) * largest.
"""

import json
import math
import random

import river
from river import anomaly

TREES, HEIGHT, WINDOW, LIMIT, FEATURES = 10, 6, 100, 1024, 5

model = anomaly.HalfSpaceTrees(
    n_trees=TREES,
    height=HEIGHT,
    window_size=WINDOW,
    limits={f"f{i}": (0, LIMIT) for i in range(FEATURES)},
    seed=42,
)
rng = random.Random(7)


def draw(i):
    """A cloud that moves once, with outliers."""
    if i % 97 == 96:
        return [rng.randrange(LIMIT) for _ in range(FEATURES)]
    centre = 300 if i < 350 else 600
    return [min(LIMIT - 1, max(0, int(rng.gauss(centre, 60)))) for _ in range(FEATURES)]


def split(node):
    """Inner nodes of a tree by levels."""
    level, out = [node], []
    for _ in range(HEIGHT):
        out += [[int(n.feature[1:]), math.ceil(n.threshold)] for n in level]
        level = [child for n in level for child in n.children]
    return out


largest = TREES * WINDOW * (2 ** (HEIGHT + 1) - 1)
stream, masses = [], []
for i in range(700):
    x = draw(i)
    named = {f"f{j}": value for j, value in enumerate(x)}
    score = model.score_one(named)
    masses.append(None if i < WINDOW else round((1 - score) * largest))
    model.learn_one(named)
    stream.append(x)

print(
    json.dumps(
        {
            "river": river.__version__,
            "trees": TREES,
            "height": HEIGHT,
            "window": WINDOW,
            "splits": [s for tree in model.trees for s in split(tree)],
            "stream": stream,
            "masses": masses,
        },
        separators=(",", ":"),
    )
)
