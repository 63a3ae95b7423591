"""The cost of a problem at one state of its poses: factors through their chains, priors and quadratic factors.

A factor gives cost, gradient (6,) and normal matrix (6, 6) by a motion of the object in its camera. How that motion
follows from those of the chain's ends is exact to first order, for R <- Exp(phi) R, t <- t + rho:

    T = X_l M X_r,  A = R_l R_M:    by X_r: (A rho, A phi);    by X_l: (rho + phi x (t - t_l), phi).
"""

import numpy as np

from diffdope.kernel_loading import njit
from diffdope.problem.calls import add_gradient_magnitude_at, evaluate_pose_at
from diffdope.render.kernels.options import CALLED, ENTRY, KERNEL
from diffdope.render.kernels.queue import take
from diffdope.solve.calls import evaluate_at
from diffdope.solve.linear_algebra import (
    apply_inverse_left_jacobian_transposed,
    rotation_between,
)


@njit(**KERNEL)
def compose(chains, f, R, t, s):
    """Writes the pose of the object in its camera, float32, and what the chain's derivative needs."""
    left, right = chains.left[f], chains.right[f]
    for i in range(3):
        for k in range(3):
            if left < 0:
                s.R_left[i, k] = chains.R[f, i, k]
            else:
                total = 0.0
                for j in range(3):
                    total += R[left, i, j] * chains.R[f, j, k]
                s.R_left[i, k] = total
    for i in range(3):
        place = 0.0
        for k in range(3):
            if left >= 0:
                place += R[left, i, k] * chains.t[f, k]
            if right >= 0:
                place += s.R_left[i, k] * t[right, k]
        if left < 0:
            place += chains.t[f, i]
        s.from_left[i] = place
        s.t[i] = np.float32(place if left < 0 else place + t[left, i])
        for k in range(3):
            if right < 0:
                s.R[i, k] = np.float32(s.R_left[i, k])
            else:
                total = 0.0
                for j in range(3):
                    total += s.R_left[i, j] * R[right, j, k]
                s.R[i, k] = np.float32(total)


@njit(**KERNEL)
def copy_pose(R, t, s):
    """`compose`, without rounding for a chain that is one pose."""
    for i in range(3):
        s.t[i] = np.float32(t[i])
        for k in range(3):
            s.R[i, k] = np.float32(R[i, k])


@njit(**KERNEL)
def set_jacobian(s):
    """Jacobian (6, 12) of the object's motion by (rho, phi) of the left and of the right end of its chain."""
    J, A, v = s.jacobian, s.R_left, s.from_left
    for i in range(6):
        for k in range(12):
            J[i, k] = 0.0
        J[i, i] = 1.0
    # phi x v = -[v]x phi
    J[0, 4], J[0, 5], J[1, 5] = v[2], -v[1], v[0]
    J[1, 3], J[2, 3], J[2, 4] = -v[2], v[1], -v[0]
    for i in range(3):
        for k in range(3):
            J[i, 6 + k] = J[3 + i, 9 + k] = A[i, k]


@njit(**KERNEL)
def add_through_chain(chains, column, with_normal, f, s, sums):
    """Adds a factor's gradient and normal matrix to those of the unknowns."""
    set_jacobian(s)
    J = s.jacobian
    for one in range(2):
        pose = chains.left[f] if one == 0 else chains.right[f]
        at = column[pose] if pose >= 0 else -1
        if at < 0:
            continue
        for i in range(6):
            total = 0.0
            for k in range(6):
                total += J[k, 6 * one + i] * s.gradient[k]
            sums.gradient[at + i] += total
        if not with_normal:
            continue
        for i in range(6):
            for k in range(6):
                total = 0.0
                for j in range(6):
                    total += J[j, 6 * one + i] * s.normal[j, k]
                s.vector[k] = total
            for other in range(2):
                pose2 = chains.left[f] if other == 0 else chains.right[f]
                to = column[pose2] if pose2 >= 0 else -1
                if to < 0:
                    continue
                for k in range(6):
                    total = 0.0
                    for j in range(6):
                        total += s.vector[j] * J[j, 6 * other + k]
                    sums.normal[at + i, to + k] += total


@njit(**KERNEL)
def add_directly(at, with_normal, s, sums):
    """The same for a chain that is one pose."""
    if at < 0:
        return
    for i in range(6):
        sums.gradient[at + i] += s.gradient[i]
        if with_normal:
            for k in range(6):
                sums.normal[at + i, at + k] += s.normal[i, k]


@njit(**KERNEL)
def add_priors(p, column, R, t, sums):
    """Adds gradient and normal matrix of the pose priors; returns their cost.

    The gradient of tr(I - M) by a turn in front of M is its axial vector. The curvature is taken for that at the
    pose of the prior: it is never less than the true one.
    """
    total = 0.0
    for n in range(len(p.far)):
        pose, far, turned = p.pose[n], p.far[n], p.turned[n]
        at = column[pose]
        squares = trace = 0.0
        for i in range(3):
            shift = t[pose, i] - p.t[n, i]
            squares += shift * shift
            for k in range(3):
                trace += R[pose, i, k] * p.R[n, i, k]
            if at >= 0:
                one, other = (i + 1) % 3, (i + 2) % 3
                axial = 0.0
                for k in range(3):  # M[other, one] - M[one, other]
                    axial += R[pose, other, k] * p.R[n, one, k] - R[pose, one, k] * p.R[n, other, k]
                sums.gradient[at + i] += 2.0 * far * shift
                sums.gradient[at + 3 + i] += turned * axial
                sums.normal[at + i, at + i] += 2.0 * far
                sums.normal[at + 3 + i, at + 3 + i] += 2.0 * turned
        total += far * squares + turned * (3.0 - trace)
    return total


@njit(**KERNEL)
def add_quadratics(q, column, R, t, s, sums):
    """Adds gradient and normal matrix of the quadratic factors; returns their cost."""
    total, xi, row = 0.0, s.vector, s.vector2
    for n in range(len(q.constant)):
        pose = q.pose[n]
        for i in range(3):
            xi[i] = t[pose, i] - q.t[n, i]
        rotation_between(R[pose], q.R[n], xi[3:])
        own = q.constant[n]
        for i in range(6):
            slope = 0.0
            for k in range(6):
                slope += q.curvature[n, i, k] * xi[k]
            own += xi[i] * (q.slope[n, i] + 0.5 * slope)
            row[i] = q.slope[n, i] + slope
        total += own
        if q.shown[n] >= 0:
            sums.each[q.shown[n]] += own
        at = column[pose]
        if at < 0:
            continue
        for i in range(6):
            if i < 3:
                sums.gradient[at + i] += row[i]
            for k in range(6):
                sums.normal[at + i, at + k] += q.curvature[n, i, k]
        x, y, z = xi[3], xi[4], xi[5]
        apply_inverse_left_jacobian_transposed(x, y, z, row[3:], xi)
        for i in range(3):
            sums.gradient[at + 3 + i] += xi[i]
    return total


@njit(**CALLED)
def evaluate_problem(problem, s, R, t, sums, paint):
    """Cost at the poses (P, 3, 3) and (P, 3); fills `sums`.

    With paint = 0 or 1, images of the first factor go to that canvas; with -1, to none.
    """
    for m in range(len(sums.each)):
        sums.each[m] = 0.0
    for i in range(len(sums.gradient)):
        sums.gradient[i] = 0.0
        for k in range(len(sums.gradient)):
            sums.normal[i, k] = 0.0
    total, chains, chain = 0.0, problem.chains, s.chain
    for f in range(len(problem.factors)):
        factor, room = problem.factors[f], s.factors[f]
        if chains.direct[f]:
            copy_pose(R[chains.right[f]], t[chains.right[f]], chain)
        else:
            compose(chains, f, R, t, chain)
        compared = paint >= 0 and f == 0
        for m in range(4):
            compared |= factor.weights[m] > 0.0
        if not compared:  # where quadratic factors alone hold the pose, nothing is drawn
            continue
        canvas = s.canvases[1 if paint == 1 else 0]
        evaluate_pose_at(
            factor.evaluate, factor.at, factor.mesh, factor.pinhole, chain.R, chain.t, room, factor.packed,
            factor.terms, factor.empty_cost, problem.with_normal, chain.cost, chain.gradient, chain.normal,
            canvas, paint >= 0 and f == 0,
        )  # fmt: skip
        if factor.edges != 0:
            add_gradient_magnitude_at(
                factor.edges, factor.at, factor.mesh, factor.pinhole, chain.R, chain.t, room, factor.planes,
                factor.terms, factor.empty_cost, problem.with_normal, chain.cost, chain.gradient, chain.normal,
            )  # fmt: skip
        weighted = 0.0
        for m in range(4):
            if factor.weights[m] > 0.0:
                each = chain.cost[m] / factor.weight_sum
                sums.each[m] += each
                weighted += factor.weights[m] * each
        total += weighted
        if chains.direct[f]:
            add_directly(problem.column[chains.right[f]], problem.with_normal, chain, sums)
        else:
            add_through_chain(chains, problem.column, problem.with_normal, f, chain, sums)
    total += add_quadratics(problem.quadratics, problem.column, R, t, chain, sums)
    return total + add_priors(problem.priors, problem.column, R, t, sums)


@njit(**ENTRY)
def evaluate_queue(evaluate, problem, s, R, t, sums, queue, costs, each, gradients, normals):
    """States (B, P, 3, 3) and (B, P, 3) that this thread takes from the queue, one evaluation each.

    `evaluate` is the address of `evaluate_problem`: called by name, it would be compiled once more.
    """
    b = take(queue)
    while b < len(costs):
        costs[b] = evaluate_at(evaluate, problem, s, R[b], t[b], sums, -1)
        for m in range(len(sums.each)):
            each[b, m] = sums.each[m]
        for i in range(len(sums.gradient)):
            gradients[b, i] = sums.gradient[i]
            for k in range(len(sums.gradient)):
                normals[b, i, k] = sums.normal[i, k]
        b = take(queue)
