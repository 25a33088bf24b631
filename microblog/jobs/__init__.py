"""What is done behind the pages. `HANDLERS` says who does what; `worker` takes the jobs.

A handler is an asynchronous function of a job and its task, in the module of its noun. It does
its work with the database in `job.write()`, which commits it together with the job's end, and
may be begun several times for a job: its worker can die at any moment.
"""

from microblog.core import tasks
from microblog.jobs import departures, exports, mail, pruning, search
from microblog.jobs.work import HOURLY, Handler

HANDLERS: dict[str, Handler] = {
    tasks.ExportPosts.kind: Handler(tasks.ExportPosts, exports.export_posts, attempts=5),
    tasks.RemoveExports.kind: Handler(tasks.RemoveExports, exports.remove_exports, every=HOURLY),
    tasks.SendMail.kind: Handler(tasks.SendMail, mail.send_mail, mail.ATTEMPTS),
    tasks.SendResets.kind: Handler(tasks.SendResets, mail.send_resets),
    tasks.TellOfPresence.kind: Handler(tasks.TellOfPresence, departures.tell),
    tasks.PurgePerson.kind: Handler(tasks.PurgePerson, departures.purge, departures.ATTEMPTS),
    tasks.Prune.kind: Handler(tasks.Prune, pruning.prune, every=HOURLY),
    tasks.FeedSearch.kind: Handler(tasks.FeedSearch, search.feed),
    tasks.TendSearch.kind: Handler(tasks.TendSearch, search.feed, every=HOURLY),
}
