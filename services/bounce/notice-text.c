/* The part for people: RFC 6522 3, first part. */

#include "services/bounce/notice-writer.h"

/* Recipients that a person may want to read; the others are in the part for machines. */
#define LISTED_MAX 100

/* What follows "The mail system of HOST". */
static const char *introduction(const NoticeSpec *spec) {
        bool is_delay = spec->kind == NOTICE_DELAY;

        switch (spec->reader) {
        case NOTICE_TO_POSTMASTER:
                return is_delay
                               ? " wrote a notice to the sender of a message,\n"
                                 "and cannot deliver that notice for now. It goes on trying; you,\n"
                                 "the postmaster, have asked to know of delays.\n\n"
                               : " wrote a notice to the sender of a message,\n"
                                 "and that notice could not be delivered either. It comes to you,\n"
                                 "the postmaster, so that nothing is lost unseen.\n\n";
        case NOTICE_COPY:
                return is_delay ? " cannot deliver a message for now. This is\n"
                                  "what its sender may know of it, for you, the postmaster.\n\n"
                                : " could not deliver a message, and has given\n"
                                  "up. This is what its sender may know of it, for you, the\n"
                                  "postmaster.\n\n";
        case NOTICE_TO_OWNER:
                return " could not deliver a message to the\n"
                       "address below, and has given up. Its sender is not told: you are,\n"
                       "because you answer for the list or alias that led there. A report\n"
                       "for programs and the message are attached.\n\n";
        case NOTICE_TO_SENDER:
                break;
        }
        if (is_delay)
                return " has not been able to deliver your message\n"
                       "to everybody it was meant for so far, and goes on trying. This is\n"
                       "only to let you know: THERE IS NO NEED TO SEND IT AGAIN.\n\n"
                       "What happened at the last attempt is below, for each recipient; a\n"
                       "report for programs and the header of your message are attached.\n\n";
        if (spec->kind == NOTICE_REFUSED)
                return " did not accept the message that you sent.\n"
                       "It has been delivered to nobody. What was wrong with it:\n\n";
        return " could not deliver your message to\n"
               "everybody it was meant for, and has given up. The reason for\n"
               "each recipient is below; a report for programs and your own\n"
               "message are attached.\n\n";
}

static void put_introduction(NoticeWriter *writer) {
        const NoticeSpec *spec = writer->spec;

        notice_put_cstr(writer, "The mail system of ");
        notice_put_safe(writer, spec->hostname);
        notice_put_cstr(writer, introduction(spec));
        if (spec->kind == NOTICE_DELAY) {
                notice_put_date(writer, "Delivery will be tried until", spec->retry_until_usec);
                notice_put_cstr(writer, "\n");
        }
}

static void put_recipient(NoticeWriter *writer, const QueueFileRecipient *recipient) {
        const Recipient *names = &recipient->recipient;
        Dsn outcome;

        notice_outcome(writer->spec, recipient, &outcome);
        notice_put_cstr(writer, "<");
        notice_put_folded(writer, names->address, "    ");
        notice_put_cstr(writer, ">");
        if (!str_is_empty(names->original) && !str_equal(names->original, names->address)) {
                notice_put_cstr(writer, " (sent to ");
                notice_put_folded(writer, names->original, "    ");
                notice_put_cstr(writer, ")");
        }
        notice_put_cstr(writer, ": ");
        notice_put_folded(writer, str_from_cstr(outcome.text), "    ");
        notice_put_cstr(writer, "\n\n");
}

static void put_rest(NoticeWriter *writer, uint64_t n_rest) {
        Buf line _cleanup_(buf_deinit) = BUF_INIT(128);

        if (n_rest == 0)
                return;
        (void)buf_printf(&line, "... and %llu more, see the attached report.\n\n",
                         (unsigned long long)n_rest);
        notice_put(writer, buf_str(&line));
}

void notice_put_text(NoticeWriter *writer, uint64_t n_recipients) {
        uint64_t cursor = 0, max = writer->spec->total_max_bytes / 4, n_listed = 0;
        QueueFileRecipient recipient;
        int r = 0;

        put_introduction(writer);
        while (n_listed < LISTED_MAX && !writer->error && (max == 0 || writer->n_bytes < max)) {
                r = notice_next_recipient(writer->spec, &cursor, &recipient);
                if (r != 0)
                        break;
                put_recipient(writer, &recipient);
                n_listed++;
        }
        if (r != 0 && r != QUEUE_FILE_E_END && !writer->error)
                writer->error = r < 0 ? r : NOTICE_E_SOURCE;
        put_rest(writer, n_recipients - n_listed);
        notice_put_cstr(writer, "Questions are best sent to the postmaster of ");
        notice_put_safe(writer, writer->spec->hostname);
        notice_put_cstr(writer, ",\ntogether with this notice.\n");
}
