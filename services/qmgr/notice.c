#include "services/qmgr/notice.h"

#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

#include "common/base/log.h"
#include "common/mail/log-id.h"

#define NOTICE_CONNECTIONS 4
#define NOTICE_ANSWER_USEC (600 * USEC_PER_SEC)

/* One request to bounce. */
typedef struct Notice {
        Message *message;
        bool ok;
        struct Notice *prev, *next;
} Notice;

struct NoticeQueue {
        AgentPool *pool;
        Message *waiting; /* by Message.prev, next: a message here is in no other list */
        unsigned n_waiting;
        Notice *running;
        unsigned n_running;
        bool is_draining;
        NoticeDone done;
        void *userdata;
        sd_event_source *fail_waiting; /* when the service is dead */
};

static Message *pop_waiting(NoticeQueue *queue) {
        Message *message = queue->waiting;

        if (message) {
                DL_DELETE(queue->waiting, message);
                queue->n_waiting--;
        }
        return message;
}

static int on_fail_waiting(sd_event_source *source, void *userdata) {
        NoticeQueue *queue = userdata;
        Message *message;

        /* A flush may have come in between: then it is tried. */
        while (agent_pool_is_dead(queue->pool) && (message = pop_waiting(queue)))
                queue->done(queue->userdata, message, false);
        agent_pool_pump(queue->pool, queue->n_waiting);
        return 0;
}

static void fail_waiting_soon(NoticeQueue *queue) {
        (void)sd_event_source_set_enabled(queue->fail_waiting, SD_EVENT_ONESHOT);
}

/* See to what waits; with a dead service nobody else would. */
static void pump(NoticeQueue *queue) {
        if (agent_pool_is_dead(queue->pool))
                fail_waiting_soon(queue);
        else
                agent_pool_pump(queue->pool, queue->n_waiting);
}

static int build_request(Message *message, Buf *request, int *ret_fd) {
        NoticeRequest notice = {
                .queue_id = message->request.queue_id,
                .kind = message->notice == MESSAGE_NOTICE_DELAY ? STR("delay") : STR("failure"),
        };
        int r;

        r = message_open(message, ret_fd);
        if (r != 0)
                return r;
        r = ipc_message_append(request, &notice_request_schema, &notice);
        return r != 0 ? r : ipc_frame_append(request, IPC_FRAME_END, STR_NULL);
}

static void *notice_next(void *userdata, Buf *request, int *ret_fd) {
        NoticeQueue *queue = userdata;
        Message *message;
        Notice *notice;

        while (!queue->is_draining && (message = pop_waiting(queue))) {
                agent_pool_pump(queue->pool, queue->n_waiting);
                notice = calloc(1, sizeof(*notice));
                if (notice && build_request(message, request, ret_fd) == 0) {
                        notice->message = message;
                        DL_APPEND(queue->running, notice);
                        queue->n_running++;
                        return notice;
                }
                free(notice);
                buf_reset(request);
                fd_closep(ret_fd);
                queue->done(queue->userdata, message, false);
        }
        return NULL;
}

static bool notice_answer(void *userdata, void *work, Str payload) {
        Notice *notice = work;
        NoticeResult result;

        if (ipc_message_parse(payload, &notice_result_schema, &result) != 0)
                return false;
        notice->ok = result.ok == 1;
        if (!notice->ok)
                log_warning(LOG_ID_QUEUE_ERROR, "%s: no notice to the sender yet: %.*s",
                            notice->message->id.text, STR_FMT(result.text));
        return true;
}

static void notice_done(void *userdata, void *work, int reason) {
        NoticeQueue *queue = userdata;
        Notice *notice = work;
        Message *message = notice->message;
        bool ok = reason == 0 && notice->ok;

        DL_DELETE(queue->running, notice);
        queue->n_running--;
        free(notice);
        if (reason == IPC_E_NOT_TAKEN) { /* bounce closed a kept connection: ask again */
                DL_PREPEND(queue->waiting, message);
                queue->n_waiting++;
                pump(queue);
                return;
        }
        queue->done(queue->userdata, message, ok);
}

static void notice_dead(void *userdata, int reason) {
        log_warning(LOG_ID_TRANSPORT_DEAD, "service bounce does not answer (%s): notices wait",
                    ipc_error_name(reason));
        fail_waiting_soon(userdata);
}

static const AgentPoolHandler notice_handler = {
        .next = notice_next,
        .answer = notice_answer,
        .done = notice_done,
        .dead = notice_dead,
};

int notice_queue_new(sd_event *event, usec_t retry_usec, NoticeDone done, void *userdata,
                     NoticeQueue **ret) {
        NoticeQueue *queue _cleanup_(notice_queue_freep) = calloc(1, sizeof(*queue));
        AgentPoolLimits limits = {
                .connections = NOTICE_CONNECTIONS,
                .retry_usec = retry_usec,
                .answer_usec = NOTICE_ANSWER_USEC,
        };
        int r;

        if (!queue)
                return -ENOMEM;
        queue->done = done;
        queue->userdata = userdata;
        r = sd_event_add_defer(event, &queue->fail_waiting, on_fail_waiting, queue);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(queue->fail_waiting, SD_EVENT_OFF);
        if (r < 0)
                return r;
        r = agent_pool_new(event, STR("bounce"), "bounce", &limits, &notice_handler, queue,
                           &queue->pool);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(queue);
        return 0;
}

NoticeQueue *notice_queue_free(NoticeQueue *queue) {
        Notice *notice, *next;

        if (!queue)
                return NULL;
        agent_pool_free(queue->pool);
        DL_FOREACH_SAFE(queue->running, notice, next)
                free(notice);
        sd_event_source_disable_unref(queue->fail_waiting);
        free(queue);
        return NULL;
}

void notice_queue_add(NoticeQueue *queue, Message *message, MessageNotice notice) {
        message->notice = notice;
        DL_APPEND(queue->waiting, message);
        queue->n_waiting++;
        pump(queue);
}

void notice_queue_revive(NoticeQueue *queue) {
        agent_pool_revive(queue->pool);
}

void notice_queue_drain(NoticeQueue *queue) {
        queue->is_draining = true;
}

unsigned notice_queue_n_running(const NoticeQueue *queue) {
        return queue->n_running;
}
