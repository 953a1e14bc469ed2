/* `postqueue -j`: one JSON object (RFC 8259) in each line. */

#include "common/base/clock.h"
#include "common/base/log-line.h"
#include "tools/postqueue/format.h"

static bool needs_escape(char c) {
        return ascii_is_control(c) || c == '"' || c == '\\';
}

static void append_escape(Buf *out, char c) {
        static const char from[] = "\b\f\n\r\t\"\\", to[] = "bfnrt\"\\";
        const char *hit = c != '\0' ? strchr(from, c) : NULL;

        if (hit)
                (void)buf_printf(out, "\\%c", to[hit - from]);
        else
                (void)buf_printf(out, "\\u%04X", (unsigned)(unsigned char)c);
}

/* A JSON string, RFC 8259 7. Bytes that are no UTF-8 become '?'. */
static void append_string(Buf *out, Str text) {
        (void)buf_append_char(out, '"');
        while (!str_is_empty(text)) {
                size_t n = 0;
                char *room;

                while (n < text.len && !needs_escape(text.data[n]))
                        n++;
                if (buf_reserve(out, n, &room) == 0)
                        buf_commit(out, log_line_escape(room, n, str_first(text, n)));
                text = str_skip(text, n);
                if (str_is_empty(text))
                        break;
                append_escape(out, text.data[0]);
                text = str_skip(text, 1);
        }
        (void)buf_append_char(out, '"');
}

static void append_member(Buf *out, const char *name, Str value) {
        (void)buf_printf(out, "\"%s\": ", name);
        append_string(out, value);
}

static int close_message(FormatState *state, Buf *out) {
        if (!state->is_open)
                return 0;
        state->is_open = false;
        return buf_append_cstr(out, "]}\n");
}

static int json_message(FormatState *state, const ShowqMessage *message, Buf *out) {
        (void)close_message(state, out);
        (void)buf_append_char(out, '{');
        append_member(out, "queue_name", message->queue_name);
        (void)buf_append_cstr(out, ", ");
        append_member(out, "queue_id", message->queue_id);
        (void)buf_printf(out, ", \"arrival_time\": %llu, \"message_size\": %llu, ",
                         (unsigned long long)(message->arrival_usec / USEC_PER_SEC),
                         (unsigned long long)message->size);
        (void)buf_append_cstr(out, "\"forced_expire\": false, ");
        append_member(out, "sender",
                      str_is_empty(message->sender) ? STR("MAILER-DAEMON") : message->sender);
        state->n_messages++;
        state->is_open = true;
        state->has_recipient = false;
        return buf_append_cstr(out, ", \"recipients\": [");
}

static int json_recipient(FormatState *state, const ShowqRecipient *recipient, Buf *out) {
        (void)buf_append_cstr(out, state->has_recipient ? ", {" : "{");
        state->has_recipient = true;
        append_member(out, "address", recipient->address);
        if (!str_is_empty(recipient->reason)) {
                (void)buf_append_cstr(out, ", ");
                append_member(out, "delay_reason", recipient->reason);
        }
        return buf_append_char(out, '}');
}

const Format format_json = {
        .message = json_message,
        .recipient = json_recipient,
        .end = close_message,
};
