from celery import Celery

app = Celery("tasks")
app.conf.task_always_eager = True


@app.task
def add(one, other):
    return one + other
