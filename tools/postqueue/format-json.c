/* `postqueue -j`: one JSON object (RFC 8259) in each line. */

#include "common/base/clock.h"
#include "common/base/json.h"
#include "tools/postqueue/format.h"

static int close_message(FormatState *state, Buf *out) {
        if (!state->is_open)
                return 0;
        state->is_open = false;
        return buf_append_cstr(out, "]}\n");
}

static int json_message(FormatState *state, const ShowqMessage *message, Buf *out) {
        (void)close_message(state, out);
        (void)buf_append_char(out, '{');
        (void)json_append_member(out, "queue_name", message->queue_name);
        (void)buf_append_cstr(out, ", ");
        (void)json_append_member(out, "queue_id", message->queue_id);
        (void)buf_printf(out, ", \"arrival_time\": %llu, \"message_size\": %llu, ",
                         (unsigned long long)(message->arrival_usec / USEC_PER_SEC),
                         (unsigned long long)message->size);
        (void)buf_append_cstr(out, "\"forced_expire\": false, ");
        (void)json_append_member(out, "sender",
                                 str_is_empty(message->sender) ? STR("MAILER-DAEMON")
                                                               : message->sender);
        state->n_messages++;
        state->is_open = true;
        state->has_recipient = false;
        return buf_append_cstr(out, ", \"recipients\": [");
}

static int json_recipient(FormatState *state, const ShowqRecipient *recipient, Buf *out) {
        (void)buf_append_cstr(out, state->has_recipient ? ", {" : "{");
        state->has_recipient = true;
        (void)json_append_member(out, "address", recipient->address);
        if (!str_is_empty(recipient->reason)) {
                (void)buf_append_cstr(out, ", ");
                (void)json_append_member(out, "delay_reason", recipient->reason);
        }
        return buf_append_char(out, '}');
}

const Format format_json = {
        .message = json_message,
        .recipient = json_recipient,
        .end = close_message,
};
