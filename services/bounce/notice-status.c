/* The part for programs: message/delivery-status, RFC 3464 2. */

#include "common/mail/address.h"
#include "services/bounce/notice-writer.h"

/* RFC 5322 2.1.1, less the field name; xtext cannot be folded. */
#define WORD_LIMIT 900

/* RFC 3464 2.3.1: "rfc822;"; for internationalised mail RFC 6533 3's "utf-8;". */
static void put_address(NoticeWriter *writer, const char *field, Str address) {
        notice_put_cstr(writer, field);
        notice_put_cstr(writer, writer->keep_8bit ? ": utf-8; " : ": rfc822; ");
        notice_put_folded(writer, address, " ");
        notice_put_cstr(writer, "\n");
}

static void put_message_fields(NoticeWriter *writer) {
        const NoticeSpec *spec = writer->spec;
        const Envelope *envelope = queue_file_envelope(spec->file);

        if (!str_is_empty(envelope->envid)) {
                notice_put_cstr(writer, "Original-Envelope-Id: ");
                notice_put_xtext(writer, str_first(envelope->envid, WORD_LIMIT));
                notice_put_cstr(writer, "\n");
        }
        notice_put_cstr(writer, "Reporting-MTA: dns; ");
        notice_put_safe(writer, spec->hostname);
        notice_put_cstr(writer, "\nX-Unitpost-Queue-ID: ");
        notice_put_safe(writer, spec->queue_id);
        notice_put_cstr(writer, "\n");
        put_address(writer, "X-Unitpost-Sender", envelope->sender);
        notice_put_date(writer, "Arrival-Date", envelope->arrival_usec);
}

/* "type;xtext", RFC 3461 4.2. */
static void put_original_recipient(NoticeWriter *writer, Str orcpt) {
        size_t semicolon = str_find(orcpt, ';');

        if (semicolon == 0 || semicolon == orcpt.len || orcpt.len > WORD_LIMIT)
                return;
        notice_put_cstr(writer, "Original-Recipient: ");
        notice_put_safe(writer, str_first(orcpt, semicolon));
        notice_put_cstr(writer, "; ");
        notice_put_xtext(writer, str_skip(orcpt, semicolon + 1));
        notice_put_cstr(writer, "\n");
}

/*
 * Who gave no ORCPT is told the address that was written, as Postfix does: behind an alias it is
 * the one that the sender knows.
 */
static void put_original_address(NoticeWriter *writer, const Recipient *recipient) {
        Buf text _cleanup_(buf_deinit) = BUF_INIT(2 * ENVELOPE_ADDRESS_MAX);
        Str local, domain;

        if (str_is_empty(recipient->original)) /* a member of a list */
                return;
        if (!address_split(recipient->original, &local, &domain))
                domain = writer->spec->origin;
        (void)address_unquote_local(local, &text);
        (void)buf_append_char(&text, '@');
        (void)buf_append_str(&text, domain);
        put_address(writer, "Original-Recipient", buf_str(&text));
}

/* "host[address]:port" names a host; "local" and "none" do not. */
static void put_remote(NoticeWriter *writer, Str relay) {
        size_t bracket = str_find(relay, '[');

        if (bracket == relay.len || bracket == 0)
                return;
        notice_put_cstr(writer, "Remote-MTA: dns; ");
        notice_put_safe(writer, str_first(relay, bracket));
        notice_put_cstr(writer, "\n");
}

static void put_recipient_fields(NoticeWriter *writer, const QueueFileRecipient *recipient) {
        const NoticeSpec *spec = writer->spec;
        Dsn outcome;

        notice_outcome(spec, recipient, &outcome);
        notice_put_cstr(writer, "\n");
        if (str_is_empty(recipient->recipient.orcpt))
                put_original_address(writer, &recipient->recipient);
        else
                put_original_recipient(writer, recipient->recipient.orcpt);
        put_address(writer, "Final-Recipient", recipient->recipient.address);
        notice_put_cstr(writer, spec->kind == NOTICE_DELAY ? "Action: delayed\nStatus: "
                                                           : "Action: failed\nStatus: ");
        notice_put_cstr(writer, outcome.code);
        notice_put_cstr(writer, "\n");
        put_remote(writer, str_from_cstr(outcome.relay));
        notice_put_cstr(writer, "Diagnostic-Code: X-Unitpost; ");
        notice_put_folded(writer, str_from_cstr(outcome.text), "    ");
        notice_put_cstr(writer, "\n");
        if (recipient->has_diagnosis)
                notice_put_date(writer, "Last-Attempt-Date", recipient->diagnosis_usec);
        if (spec->kind == NOTICE_DELAY)
                notice_put_date(writer, "Will-Retry-Until", spec->retry_until_usec);
}

void notice_put_status(NoticeWriter *writer) {
        uint64_t cursor = 0, max = writer->spec->total_max_bytes / 2, n_omitted = 0;
        QueueFileRecipient recipient;
        int r = 0;

        put_message_fields(writer);
        while (!writer->error &&
               (r = notice_next_recipient(writer->spec, &cursor, &recipient)) == 0)
                if (max == 0 || writer->n_bytes < max)
                        put_recipient_fields(writer, &recipient);
                else
                        n_omitted++;
        if (r != 0 && r != QUEUE_FILE_E_END && !writer->error)
                writer->error = r < 0 ? r : NOTICE_E_SOURCE;
        if (n_omitted > 0) {
                Buf line _cleanup_(buf_deinit) = BUF_INIT(128);

                (void)buf_printf(&line, "X-Unitpost-Omitted: %llu more recipients\n",
                                 (unsigned long long)n_omitted);
                notice_put(writer, buf_str(&line));
        }
}
