/* `postqueue -p` and mailq: the listing for people, in columns. */

#include <stdio.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/log-line.h"
#include "tools/postqueue/format.h"

/* A queue ID has 20 digits, and one column for its mark. */
#define COLUMNS      "%-21s %8s %-20s %s\n"
#define REASON_WIDTH 76

void format_state_deinit(FormatState *state) {
        buf_deinit(&state->reason);
}

static void append_safe(Buf *out, Str text) {
        char *room;

        if (buf_reserve(out, text.len, &room) == 0)
                buf_commit(out, log_line_escape(room, text.len, text));
}

/* asctime(3) without year, with a blank behind it as Postfix has. */
static const char *time_text(usec_t time_usec, char room[64]) {
        time_t seconds = (time_t)(time_usec / USEC_PER_SEC);
        struct tm parts;

        if (!localtime_r(&seconds, &parts) || parts.tm_year > 8099 || !asctime_r(&parts, room))
                return "unknown";
        room[20] = '\0';
        return room;
}

static char mark_of(Str queue_name) {
        if (str_equal(queue_name, STR("active")))
                return '*';
        return str_equal(queue_name, STR("hold")) ? '!' : ' ';
}

static int text_message(FormatState *state, const ShowqMessage *message, Buf *out) {
        char time_room[64];
        char size[32];

        if (state->n_messages++ == 0)
                (void)buf_printf(out, COLUMNS, "-Queue ID-", "--Size--", "----Arrival Time----",
                                 "-Sender/Recipient-------");
        else
                (void)buf_append_char(out, '\n');
        state->n_bytes += message->size;
        buf_reset(&state->reason);
        (void)snprintf(size, sizeof(size), "%llu", (unsigned long long)message->size);
        append_safe(out, message->queue_id);
        (void)buf_printf(out, "%c %8s %-20s ", mark_of(message->queue_name), size,
                         time_text(message->arrival_usec, time_room));
        append_safe(out, str_is_empty(message->sender) ? STR("MAILER-DAEMON") : message->sender);
        return buf_append_char(out, '\n');
}

/* Once in front of all recipients that share it. */
static void append_reason(FormatState *state, Str reason, Buf *out) {
        Str shown = str_is_empty(reason) ? STR("reason unavailable") : reason;

        if (str_equal(reason, buf_str(&state->reason)))
                return;
        buf_reset(&state->reason);
        (void)buf_append_clipped(&state->reason, reason);
        if (shown.len < REASON_WIDTH)
                (void)buf_printf(out, "%*s", (int)(REASON_WIDTH - shown.len), "");
        (void)buf_append_char(out, '(');
        append_safe(out, shown);
        (void)buf_append_cstr(out, ")\n");
}

static int text_recipient(FormatState *state, const ShowqRecipient *recipient, Buf *out) {
        append_reason(state, recipient->reason, out);
        (void)buf_printf(out, "%-21s %8s %-20s ", "", "", "");
        append_safe(out, recipient->address);
        return buf_append_char(out, '\n');
}

static int text_end(FormatState *state, Buf *out) {
        if (state->n_messages == 0)
                return buf_append_cstr(out, "Mail queue is empty\n");
        return buf_printf(out, "\n-- %llu Kbytes in %llu Request%s.\n",
                          (unsigned long long)state->n_bytes / 1024,
                          (unsigned long long)state->n_messages, state->n_messages == 1 ? "" : "s");
}

const Format format_text = {
        .message = text_message,
        .recipient = text_recipient,
        .end = text_end,
};
