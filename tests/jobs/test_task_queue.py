from __future__ import annotations

from diffdope.jobs.task import Task
from diffdope.jobs.task_queue import TaskQueue


def queue(**sizes: int) -> TaskQueue:
    return TaskQueue(Task(f"{group}{n}", group, None) for group, size in sizes.items() for n in range(size))


def take(tasks: TaskQueue, *workers: int) -> list[str]:
    taken = [tasks.take(worker) for worker in workers]
    return ["-" if task is None else task.key for task in taken]


def test_a_worker_keeps_its_group() -> None:
    assert take(queue(a=2, b=2, c=1), 1, 2, 2, 1, 2, 1) == ["a0", "b0", "b1", "a1", "c0", "-"]


def test_an_idle_worker_takes_from_the_longest_group() -> None:
    tasks = queue(a=2, b=5)
    assert take(tasks, 1, 2) == ["a0", "b0"]  # one left of a, four of b
    assert take(tasks, 3) == ["b1"]
    assert take(tasks, 3, 2, 1, 1) == ["b2", "b3", "a1", "b4"]
    assert take(tasks, 1, 2, 3) == ["-", "-", "-"]


def test_one_group_is_shared_by_all() -> None:
    assert take(queue(a=4), 1, 2, 1, 2, 1) == ["a0", "a1", "a2", "a3", "-"]


def test_a_returned_task_is_the_next() -> None:
    tasks = queue(a=2, b=2)
    task = tasks.take(1)
    assert task is not None
    assert take(tasks, 2) == ["b0"]
    tasks.forget(1)
    tasks.put_back(task)
    assert len(tasks) == 3
    assert take(tasks, 3, 3) == ["a0", "a1"]


def test_the_last_task_of_a_group_comes_back() -> None:
    tasks = queue(a=1, b=2)
    task = tasks.take(1)
    assert task is not None
    tasks.forget(1)
    tasks.put_back(task)
    assert take(tasks, 2, 2, 2, 2) == ["a0", "b0", "b1", "-"]
