"""Where depthwise routines keep what no register holds: offsets from the stack pointer, in bytes.

What is loaded together lies together. Behind the frame there may be a table of weights (depthwise_unpack.py).
"""

MANTISSA, BIAS = 0, 12  # of a channel, where no register holds the stream: mantissa, addend, shift; bias
ROW, OUT = 16, 20  # of the row in work
STEP, END = 24, 28  # bytes to the next output row; where r0 stands behind the last row
CHANNEL, CHANNEL_OUT = 32, 36
STREAM, CHANNELS, SPAN, TURN_END, CARRY = 40, 44, 48, 52, 56
FRAME_BYTES = 64
