/// Command-line options of the form `--name value`.
#ifndef LOAD_OPTIONS_H
#define LOAD_OPTIONS_H

struct options {
    int count;
    char **words;
};

/// The value after `--name`, or `otherwise` when it is not given.
const char *option_text(const struct options *options, const char *name, const char *otherwise);

/// The same as a number; ends the program when it is not one.
double option_number(const struct options *options, const char *name, double otherwise);

/// The same for an option that must be given.
const char *option_required(const struct options *options, const char *name);

#endif
