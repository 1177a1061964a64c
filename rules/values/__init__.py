"""VAL: values that do not fit the type of their parameter."""
