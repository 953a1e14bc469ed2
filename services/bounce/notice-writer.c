#include "services/bounce/notice-writer.h"

#include "common/mail/envelope.h"
#include "common/mail/header.h"

#define COLLECT_BYTES 4096
#define COLUMN_MAX    78
#define WORD_MAX      900
#define DATE_MAX      128

void notice_writer_init(NoticeWriter *writer, const NoticeSpec *spec, NoticeOutput output,
                        void *userdata) {
        *writer = (NoticeWriter){
                .spec = spec,
                .output = output,
                .userdata = userdata,
                .buf = BUF_INIT(COLLECT_BYTES),
                .keep_8bit = queue_file_envelope(spec->file)->flags & ENVELOPE_SMTPUTF8,
        };
}

void notice_writer_deinit(NoticeWriter *writer) {
        buf_deinit(&writer->buf);
}

static void hand_over(NoticeWriter *writer, Str text) {
        if (writer->error == 0 && !str_is_empty(text) &&
            writer->output(writer->userdata, text) != 0)
                writer->error = NOTICE_E_OUTPUT;
}

int notice_flush(NoticeWriter *writer) {
        hand_over(writer, buf_str(&writer->buf));
        buf_reset(&writer->buf);
        return writer->error;
}

void notice_put(NoticeWriter *writer, Str text) {
        size_t last_line = text.len - str_find_last(text, '\n');
        int r = 0;

        if (writer->error || str_is_empty(text))
                return;
        writer->n_bytes += text.len;
        writer->column = last_line > 0 ? last_line - 1 : writer->column + text.len;
        if (text.len > COLLECT_BYTES - writer->buf.len)
                (void)notice_flush(writer);
        if (text.len > COLLECT_BYTES)
                hand_over(writer, text);
        else
                r = buf_append_str(&writer->buf, text);
        if (r != 0 && !writer->error)
                writer->error = r;
}

void notice_put_cstr(NoticeWriter *writer, const char *text) {
        notice_put(writer, str_from_cstr(text));
}

static void put_safe_char(NoticeWriter *writer, char c) {
        bool is_8bit = (unsigned char)c > 0x7e;

        if (ascii_is_control(c) || (is_8bit && !writer->keep_8bit))
                c = '?';
        notice_put(writer, str_from(&c, 1));
}

void notice_put_safe(NoticeWriter *writer, Str text) {
        for (size_t i = 0; i < text.len; i++)
                put_safe_char(writer, text.data[i]);
}

void notice_put_folded(NoticeWriter *writer, Str text, const char *indent) {
        size_t indent_len = strlen(indent), n;
        bool first = true;

        while (!str_is_empty(text)) {
                n = str_find(text, ' ');
                if (n == 0) {
                        text = str_skip(text, 1);
                        continue;
                }
                n = size_min(n, WORD_MAX);
                if (writer->column + 1 + n > COLUMN_MAX && writer->column > indent_len) {
                        notice_put(writer, STR("\n"));
                        notice_put_cstr(writer, indent);
                } else if (!first) {
                        notice_put(writer, STR(" "));
                }
                notice_put_safe(writer, str_first(text, n));
                text = str_skip(text, n);
                first = false;
        }
}

static int hex_value(char c) {
        if (ascii_is_digit(c))
                return c - '0';
        c = ascii_to_lower(c);
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void notice_put_xtext(NoticeWriter *writer, Str xtext) {
        for (size_t i = 0; i < xtext.len; i++) {
                int high, low;

                if (xtext.data[i] != '+' || xtext.len - i < 3) {
                        put_safe_char(writer, xtext.data[i]);
                        continue;
                }
                high = hex_value(xtext.data[i + 1]);
                low = hex_value(xtext.data[i + 2]);
                if (high < 0 || low < 0) {
                        put_safe_char(writer, '?');
                        continue;
                }
                put_safe_char(writer, (char)(high * 16 + low));
                i += 2;
        }
}

void notice_put_date(NoticeWriter *writer, const char *field, usec_t when_usec) {
        Buf date _cleanup_(buf_deinit) = BUF_INIT(DATE_MAX);

        if (header_append_date(&date, when_usec) != 0)
                return;
        notice_put_cstr(writer, field);
        notice_put_cstr(writer, ": ");
        notice_put(writer, buf_str(&date));
        notice_put_cstr(writer, "\n");
}

bool notice_is_for_postmaster(const NoticeSpec *spec) {
        return spec->reader == NOTICE_TO_POSTMASTER || spec->reader == NOTICE_COPY;
}

bool notice_wants(const NoticeSpec *spec, const QueueFileRecipient *recipient) {
        uint32_t notify = recipient->recipient.notify;
        uint32_t wish = RECIPIENT_NOTIFY_FAILURE;

        if (spec->kind == NOTICE_FAILURE && recipient->state != RECIPIENT_FAILED)
                return false;
        if (spec->kind == NOTICE_DELAY) {
                wish = RECIPIENT_NOTIFY_DELAY;
                if (recipient->state != RECIPIENT_TODO)
                        return false;
        }
        if (notice_is_for_postmaster(spec) || notify == 0)
                return true;
        return (notify & wish) && !(notify & RECIPIENT_NOTIFY_NEVER);
}

/* RFC 3464 2.3.4: 4.x.x for a delay, also for what failed because it was late; 5.x.x else. */
static bool is_possible(const char *code, bool is_delay) {
        return dsn_code_is_valid(str_from_cstr(code)) &&
               (code[0] == '4' || (code[0] == '5' && !is_delay));
}

void notice_outcome(const NoticeSpec *spec, const QueueFileRecipient *recipient, Dsn *ret) {
        bool is_delay = spec->kind == NOTICE_DELAY;

        if (spec->outcome)
                *ret = *spec->outcome;
        else if (recipient->has_diagnosis && is_possible(recipient->diagnosis.code, is_delay))
                *ret = recipient->diagnosis;
        else
                dsn_set(ret, is_delay ? DSN_DEFERRED : DSN_BOUNCED, is_delay ? "4.0.0" : "5.0.0",
                        "the reason was not recorded");
}

static int next_of_kind(const NoticeSpec *spec, uint64_t *cursor, QueueFileRecipient *ret) {
        if (spec->kind != NOTICE_ONE)
                return queue_file_next_recipient(spec->file, cursor, !spec->outcome, ret);
        *ret = (QueueFileRecipient){ .recipient = *spec->one };
        return (*cursor)++ == 0 ? 0 : QUEUE_FILE_E_END;
}

int notice_next_recipient(const NoticeSpec *spec, uint64_t *cursor, QueueFileRecipient *ret) {
        int r;

        do
                r = next_of_kind(spec, cursor, ret);
        while (r == 0 && !notice_wants(spec, ret));
        return r;
}
