"""Task sets with one vector per image, for the tests of networks that have such heads."""

FEATURES = {"species": 2, "box": 4}


def split(tasks):
    """`out_channels` and `out_features` of a task set."""
    dense = {task: channels for task, channels in tasks.items() if task not in FEATURES}
    return dense, {task: number for task, number in tasks.items() if task in FEATURES}


class VectorTasks:
    """Mix into a `NetworkSuite`, whose `build` splits its tasks."""

    tasks = ({"segment": 4}, {"segment": 4, "denoise": 3, **FEATURES})

    def shape_of(self, task, channels, x):
        return (x.shape[0], channels, *(() if task in FEATURES else x.shape[2:]))
