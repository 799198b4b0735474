"""The stop of bench_sdot.py: an outside evaluator looks at a solver's potentials from time to time, off the clock.

Looks are spaced by a factor of the time spent, so a time to the stop is at most that factor too long, and a solver of
many cheap steps is not looked at for longer than it runs.
"""

import time

from sdot_problem import chi_square

TOLERANCE = 1e-3
# A time to the stop is known to this factor.
SPACING = 1.1
SECONDS_A_SCORE = 2e-9


class Over(Exception):
    """The stop was reached, or the time is up."""


class Clock:
    """Charges a solver its own wall and processor seconds, and judges what it hands over."""

    def __init__(self, problem, epsilon, limit, spacing=SPACING):
        self.problem, self.epsilon, self.limit, self.spacing = problem, epsilon, limit, spacing
        self.wall = self.cpu = 0.0
        self.reached, self.chi_square = False, float("inf")
        # No solver has seen every score once before that.
        self.next_look = SECONDS_A_SCORE * len(problem.features) * len(problem.target)
        # Seconds and chi-square at each look.
        self.trace = []
        self.resume()

    def resume(self):
        self.started = time.perf_counter(), time.process_time()

    def pause(self):
        self.wall += time.perf_counter() - self.started[0]
        self.cpu += time.process_time() - self.started[1]

    def due(self):
        """Whether it is time to look; asked while the clock runs."""
        return self.wall + time.perf_counter() - self.started[0] >= self.next_look

    def look(self, candidates):
        """Judges potentials, of which the best counts. The clock stands meanwhile; raises `Over` at the end."""
        self.judge(candidates)
        self.resume()

    def judge(self, candidates):
        self.pause()
        self.chi_square = min(chi_square(self.problem, offsets, self.epsilon) for offsets in candidates)
        self.trace.append((self.wall, self.chi_square))
        self.next_look = self.wall * self.spacing
        self.reached = self.chi_square < TOLERANCE
        if self.reached or self.wall >= self.limit:
            raise Over
