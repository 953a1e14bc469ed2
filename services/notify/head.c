#include "services/notify/head.h"

#include "common/base/crc32c.h"
#include "common/mail/header.h"

void head_init(Head *head) {
        *head = (Head){ .from = BUF_INIT(HEAD_FIELD_MAX), .subject = BUF_INIT(HEAD_FIELD_MAX) };
}

void head_deinit(Head *head) {
        buf_deinit(&head->from);
        buf_deinit(&head->subject);
}

void head_reset(Head *head) {
        buf_reset(&head->from);
        buf_reset(&head->subject);
        head->id = 0;
        head->is_seen = false;
        head->field = HEAD_FIELD_OTHER;
        head->is_repeated = false;
}

static HeadField field_of(Str name) {
        static const struct {
                Str name;
                HeadField field;
        } fields[] = {
                { STR("From"), HEAD_FIELD_FROM },
                { STR("Subject"), HEAD_FIELD_SUBJECT },
                { STR("Status"), HEAD_FIELD_STATUS },
                { STR("Date"), HEAD_FIELD_IDENTITY },
                { STR("Message-ID"), HEAD_FIELD_IDENTITY },
                { STR("Received"), HEAD_FIELD_IDENTITY },
        };

        for (size_t i = 0; i < ARRAY_LEN(fields); i++)
                if (str_equal_nocase(name, fields[i].name))
                        return fields[i].field;
        return HEAD_FIELD_OTHER;
}

static void add_value(Head *head, Str value) {
        if (head->field == HEAD_FIELD_OTHER)
                return;
        if (head->field == HEAD_FIELD_STATUS) {
                head->is_seen |= str_contains(value, 'R') || str_contains(value, 'O');
                return;
        }
        head->id = crc32c(head->id, value.data, value.len);
        if (head->is_repeated)
                return;
        if (head->field == HEAD_FIELD_FROM)
                (void)buf_append_clipped(&head->from, value);
        else if (head->field == HEAD_FIELD_SUBJECT)
                (void)buf_append_clipped(&head->subject, value);
}

bool head_add_line(Head *head, Str line) {
        Str name, value;

        if (str_has_suffix(line, STR("\r")))
                line.len--;
        switch (header_line_classify(line, &name, &value)) {
        case HEADER_LINE_FIELD:
                head->field = field_of(name);
                head->is_repeated = (head->field == HEAD_FIELD_FROM && head->from.len > 0) ||
                                    (head->field == HEAD_FIELD_SUBJECT && head->subject.len > 0);
                add_value(head, value);
                return true;
        case HEADER_LINE_CONTINUATION:
                add_value(head, line);
                return true;
        case HEADER_LINE_END:
        case HEADER_LINE_BODY:
                break;
        }
        return false;
}
