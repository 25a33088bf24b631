"""Sending mail: the only place that speaks to a mail server."""

from datetime import UTC, datetime

import structlog

from microblog.actions import resets
from microblog.backends.mailer import Undeliverable, Undelivered, open_mailer
from microblog.core.tasks import SendMail, SendResets
from microblog.jobs.work import Failed, Hopeless, Job
from microblog.render.mail import compose

ATTEMPTS = 40
"""Over a day and a half: a mail server may be away for a night."""

log = structlog.get_logger(__name__)


async def send_mail(job: Job, task: SendMail) -> None:
    """Send one mail: at least once, and each time with the same Message-ID.

    Raises Failed where the server does not take it now, Hopeless where it never will. One that is
    of no more use, or for which there is no mailer any more, is dropped.
    """
    mailer = open_mailer(job.runtime.settings)
    if mailer is None or _is_late(task, datetime.now(UTC)):
        job.runtime.measures.mails.labels("dropped").inc()
        log.warning("mail.dropped", template=task.template, message_id=task.message_id)
        return
    mail = compose(task, job.runtime.settings, job.runtime.secret)
    try:
        await mailer.send(mail)
    except Undelivered as error:
        job.runtime.measures.mails.labels("failed").inc()
        raise Failed(str(error)) from error
    except Undeliverable as error:
        job.runtime.measures.mails.labels("refused").inc()
        raise Hopeless(str(error)) from error
    job.runtime.measures.mails.labels("sent").inc()
    log.info("mail.sent", template=task.template, message_id=task.message_id)


def _is_late(task: SendMail, now: datetime) -> bool:
    return task.useless_after is not None and now >= datetime.fromisoformat(task.useless_after)


async def send_resets(job: Job, task: SendResets) -> None:
    """Look up whose an address is, and leave the mail with their links."""
    runtime = job.runtime
    async with job.write() as tx:
        await resets.mail_links(tx, runtime.settings, runtime.secret, task, datetime.now(UTC))
