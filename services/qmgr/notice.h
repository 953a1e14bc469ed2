#pragma once

/*
 * Messages that wait for bounce to tell their sender. qmgr marks recipients as returned, and the
 * delay as told of, only after bounce has said that the notice is on disk.
 */

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "services/qmgr/agent-pool.h"
#include "services/qmgr/message.h"

typedef struct NoticeQueue NoticeQueue;

/* OK: the notice is on disk, or none was due. Else the message is to be tried again later. */
typedef void (*NoticeDone)(void *userdata, Message *message, bool ok);

/* RETRY: how long a bounce service that does not answer is left alone. 0, negative errno. */
int notice_queue_new(sd_event *event, usec_t retry_usec, NoticeDone done, void *userdata,
                     NoticeQueue **ret);
NoticeQueue *notice_queue_free(NoticeQueue *queue);
DEFINE_CLEANUP(NoticeQueue, notice_queue_free)

/* Ask for NOTICE. DONE is called once for MESSAGE, from the loop, never from inside this call. */
void notice_queue_add(NoticeQueue *queue, Message *message, MessageNotice notice);

/* Forget that the service was dead (a flush). */
void notice_queue_revive(NoticeQueue *queue);

/* Ask for no further notice; how many are being made. */
void notice_queue_drain(NoticeQueue *queue);
unsigned notice_queue_n_running(const NoticeQueue *queue);
