"""Pucks on ice: how they slide, and what becomes of two that meet.

``static/floe/prediction.js`` has the same few lines for the puck of its own player.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from thywill_apps.floe.rules import Rules


@dataclass(slots=True)
class Body:
    """Where a puck is, in units from the middle, and how fast it goes, in units/s."""

    x: float
    y: float
    vx: float = 0.0
    vy: float = 0.0

    @property
    def distance(self) -> float:
        """From the middle of the floe."""
        return math.hypot(self.x, self.y)


def slide(
    body: Body,
    push_x: float,
    push_y: float,
    seconds: float,
    rules: Rules,
    is_braking: bool = False,
) -> None:
    """Move a puck for a moment.

    Args:
        body: is changed.
        push_x: how hard it is pushed to the right; together with push_y not longer than 1.
        push_y: and downwards.
        seconds: how long.
        rules: of the world.
        is_braking: whether it shall come to rest soon.
    """
    kept = math.exp(-(rules.brake if is_braking else rules.drag) * seconds)
    body.vx = (body.vx + push_x * rules.push * seconds) * kept
    body.vy = (body.vy + push_y * rules.push * seconds) * kept
    bound_speed(body, rules)
    body.x += body.vx * seconds
    body.y += body.vy * seconds


def bound_speed(body: Body, rules: Rules) -> None:
    """Slow a puck down to what is allowed."""
    speed = math.hypot(body.vx, body.vy)
    if speed > rules.max_speed:
        body.vx *= rules.max_speed / speed
        body.vy *= rules.max_speed / speed


def bump(one: Body, other: Body, rules: Rules) -> bool:
    """Let two pucks meet: they are moved apart, and pass their speed to each other.

    Both weigh the same, so what one gains the other loses.

    Returns:
        whether they have touched.
    """
    dx, dy = other.x - one.x, other.y - one.y
    width = 2.0 * rules.puck
    if dx > width or dx < -width or dy > width or dy < -width:
        return False
    distance = math.hypot(dx, dy)
    if distance >= width:
        return False
    # Two in the very same place part sideways; it has to be the same way for everybody.
    nx, ny = (dx / distance, dy / distance) if distance > 0 else (1.0, 0.0)
    apart = (width - distance) / 2
    one.x -= nx * apart
    one.y -= ny * apart
    other.x += nx * apart
    other.y += ny * apart
    closing = (one.vx - other.vx) * nx + (one.vy - other.vy) * ny
    if closing > 0:
        passed = closing * (1 + rules.bounce) / 2
        one.vx -= nx * passed
        one.vy -= ny * passed
        other.vx += nx * passed
        other.vy += ny * passed
        bound_speed(one, rules)
        bound_speed(other, rules)
    return True
