#include "services/bounce/notice.h"

#include "common/mail/envelope.h"
#include "common/mail/header.h"
#include "services/bounce/notice-writer.h"

#define FIELD_MAX 1024

int notice_count(const NoticeSpec *spec, uint64_t *ret_n) {
        QueueFileRecipient recipient;
        uint64_t cursor = 0;
        int r;

        *ret_n = 0;
        while ((r = notice_next_recipient(spec, &cursor, &recipient)) == 0)
                (*ret_n)++;
        if (r == QUEUE_FILE_E_END)
                return 0;
        return r < 0 ? r : NOTICE_E_SOURCE;
}

int notice_is_8bit(const NoticeSpec *spec, bool *ret) {
        NoticeOriginal original;
        int r;

        r = notice_original_measure(spec, &original);
        if (r == 0)
                *ret = original.has_8bit;
        return r;
}

static void put_trace_fields(NoticeWriter *writer) {
        const NoticeSpec *spec = writer->spec;
        Buf date _cleanup_(buf_deinit) = BUF_INIT(FIELD_MAX);
        Buf message_id _cleanup_(buf_deinit) = BUF_INIT(FIELD_MAX);
        int r;

        r = header_append_date(&date, spec->now_usec);
        if (r == 0)
                r = header_append_message_id(&message_id, spec->now_usec, spec->notice_id,
                                             spec->hostname);
        if (r != 0 && !writer->error)
                writer->error = r < 0 ? r : -1;
        notice_put_cstr(writer, "Received: by ");
        notice_put_safe(writer, spec->hostname);
        notice_put_cstr(writer, " (");
        notice_put_safe(writer, spec->mail_name);
        notice_put_cstr(writer, ")\n\tid ");
        notice_put_safe(writer, spec->notice_id);
        notice_put_cstr(writer, "; ");
        notice_put(writer, buf_str(&date));
        notice_put_cstr(writer, "\nDate: ");
        notice_put(writer, buf_str(&date));
        notice_put_cstr(writer, "\nMessage-ID: <");
        notice_put(writer, buf_str(&message_id));
        notice_put_cstr(writer, ">\n");
}

static void put_header(NoticeWriter *writer, bool is_8bit) {
        static const char *const subjects[2][2] = {
                { "Undelivered Mail Returned to Sender", "Delayed Mail: Still Being Tried" },
                { "Postmaster Copy: Undelivered Mail", "Postmaster Copy: Delayed Mail" },
        };
        const NoticeSpec *spec = writer->spec;

        put_trace_fields(writer);
        notice_put_cstr(writer, "From: MAILER-DAEMON@");
        notice_put_safe(writer, spec->hostname);
        notice_put_cstr(writer, " (Mail Delivery System)\nTo: ");
        notice_put_folded(writer, spec->recipient, " ");
        notice_put_cstr(writer, "\nSubject: ");
        notice_put_cstr(writer,
                        subjects[notice_is_for_postmaster(spec)][spec->kind == NOTICE_DELAY]);
        notice_put_cstr(writer, "\n");
        if (spec->is_threaded)
                notice_put_thread(writer);
        /* RFC 3834 5: nobody's vacation program shall answer. */
        notice_put_cstr(writer, "Auto-Submitted: auto-replied\nMIME-Version: 1.0\n"
                                "Content-Type: multipart/report; report-type=delivery-status;\n"
                                "\tboundary=\"");
        notice_put(writer, spec->boundary);
        notice_put_cstr(writer, "\"\n");
        if (is_8bit)
                notice_put_cstr(writer, "Content-Transfer-Encoding: 8bit\n");
        notice_put_cstr(writer, "\nThis is a message in MIME format.\n");
}

/* The line end in front belongs to the delimiter, RFC 2046 5.1.1. */
static void put_delimiter(NoticeWriter *writer, const char *end) {
        notice_put_cstr(writer, "\n--");
        notice_put(writer, writer->spec->boundary);
        notice_put_cstr(writer, end);
}

static void put_parts(NoticeWriter *writer, uint64_t n_recipients, const NoticeOriginal *original) {
        const char *encoding = writer->keep_8bit ? "\nContent-Transfer-Encoding: 8bit" : "";

        put_header(writer, original->has_8bit || writer->keep_8bit);
        put_delimiter(writer, "\nContent-Description: Notice\nContent-Type: text/plain; charset=");
        notice_put_cstr(writer, writer->keep_8bit ? "utf-8" : "us-ascii");
        notice_put_cstr(writer, encoding);
        notice_put_cstr(writer, "\n\n");
        notice_put_text(writer, n_recipients);
        put_delimiter(writer, "\nContent-Description: Delivery report\nContent-Type: message/");
        notice_put_cstr(writer, writer->keep_8bit ? "global-delivery-status" : "delivery-status");
        notice_put_cstr(writer, encoding);
        notice_put_cstr(writer, "\n\n");
        notice_put_status(writer);
        put_delimiter(writer, "\n");
        notice_put_original(writer, original);
        put_delimiter(writer, "--\n");
}

int notice_build(const NoticeSpec *spec, NoticeOutput output, void *userdata) {
        NoticeOriginal original;
        NoticeWriter writer;
        uint64_t n_recipients;
        int r;

        r = notice_count(spec, &n_recipients);
        if (r != 0)
                return r;
        r = notice_original_measure(spec, &original);
        if (r != 0)
                return r;
        notice_writer_init(&writer, spec, output, userdata);
        put_parts(&writer, n_recipients, &original);
        r = notice_flush(&writer);
        notice_writer_deinit(&writer);
        return r;
}
