#include "common/mail/domain-name.h"

static bool is_label(Str label) {
        if (str_is_empty(label) || label.len > 63 || label.data[0] == '-' ||
            label.data[label.len - 1] == '-')
                return false;
        for (size_t i = 0; i < label.len; i++) {
                char c = label.data[i];

                if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '-' && c != '_' &&
                    (unsigned char)c < 0x80)
                        return false;
        }
        return true;
}

bool domain_name_is_valid(Str name) {
        Str label;

        if (str_is_empty(name) || name.len > 255)
                return false;
        while (str_next_part(&name, '.', &label))
                if (!is_label(label))
                        return false;
        return true;
}

bool domain_name_is_numeric(Str name) {
        for (size_t i = 0; i < name.len; i++)
                if (!ascii_is_digit(name.data[i]) && name.data[i] != '.')
                        return false;
        return true;
}
