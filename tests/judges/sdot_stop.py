"""The stop of bench_sdot.py: an independent evaluator checks a solver's potentials from time to time, off the clock.

The time grows by a constant factor between checks. So a time to the stop is too long by at most that factor, and checks of
a solver with many cheap steps do not take longer than the solver.
"""

import time

from sdot_problem import chi_square

TOLERANCE = 1e-3
# Factor between the times of checks, and so the accuracy of a time to the stop.
SPACING = 1.1
SECONDS_A_SCORE = 2e-9


class Over(Exception):
    """The stop is reached, or the time limit is exceeded."""


class Clock:
    """Measures a solver's own wall and processor seconds, and evaluates its potentials."""

    def __init__(self, problem, epsilon, limit, spacing=SPACING):
        self.problem, self.epsilon, self.limit, self.spacing = problem, epsilon, limit, spacing
        self.wall = self.cpu = 0.0
        self.reached, self.chi_square = False, float("inf")
        # Before this time, no solver can have used every score once.
        self.next_look = SECONDS_A_SCORE * len(problem.features) * len(problem.target)
        # Seconds and chi-square of each check.
        self.trace = []
        self.resume()

    def resume(self):
        self.started = time.perf_counter(), time.process_time()

    def pause(self):
        self.wall += time.perf_counter() - self.started[0]
        self.cpu += time.process_time() - self.started[1]

    def due(self):
        """Whether a check is due. The clock runs meanwhile."""
        return self.wall + time.perf_counter() - self.started[0] >= self.next_look

    def look(self, candidates):
        """Evaluates potentials, the best of which counts, while the clock is stopped. Raises `Over` at the end."""
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
