"""Thumb-2 as a table: what each encoding reads, writes and occupies (Arm's manuals of Armv7-M and Armv8-M, part A).

A line is a pattern of bits, a unit, and `registers read > registers written`. In patterns, `-` is any bit and a
letter a bit of that field, from the most significant on; the first pattern that fits counts. In registers:

    n m d t u a    the core register whose number the field is; in 32-bit encodings 15 is none
    N M V W        a floating point register; W: as many from V on as the field w says (z: all are double)
    l              the registers of a list
    S L F          stack pointer, link register, flags (of encodings with a field s, only where that is 1)
    @n             the address of an access
    +a             what a multiplication adds to

A unit of `alu:i` becomes the shifter where the field i is not 0, `shift:n` one with halves where n is not 15;
`load:2` loads two bytes instead of words, `load:b` 1, 2 or 4 as b is 0, 1 or 2.
Branches are predicted: they wait for no flags. Floating point counts as multiplication: one per cycle.
"""

NARROW = """
0000000000mmmddd alu m>dF
00000-----mmmddd shift m>dF
00001-----mmmddd shift m>dF
00010-----mmmddd shift m>dF
000110-mmmnnnddd alu nm>dF
000111----nnnddd alu n>dF
00100ddd-------- alu >dF
00101nnn-------- alu n>F
0011-ddd-------- alu d>dF
010000000-mmmddd alu dm>dF
010000001-mmmddd shift dm>dF
0100000100mmmddd shift dm>dF
010000010-mmmddd alu dmF>dF
0100000110mmmddd alu dmF>dF
0100000111mmmddd shift dm>dF
0100001000mmmddd alu dm>F
0100001001mmmddd alu m>dF
010000101-mmmddd alu dm>F
0100001101mmmddd multiply dm>dF
0100001111mmmddd alu m>dF
01000011--mmmddd alu dm>dF
01000100dmmmmddd alu dm>d
01000101nmmmmnnn alu nm>F
01000110dmmmmddd alu m>d
010001110mmmm--- branch m>
010001111mmmm--- branch m>L
01001ttt-------- load >t
0101011mmmnnnttt load:1 @nm>t
01010--mmmnnnttt store @nmt>
0101100mmmnnnttt load @nm>t
01011-1mmmnnnttt load:2 @nm>t
0101110mmmnnnttt load:1 @nm>t
01100-----nnnttt store @nt>
01101-----nnnttt load @n>t
01110-----nnnttt store @nt>
01111-----nnnttt load:1 @n>t
10000-----nnnttt store @nt>
10001-----nnnttt load:2 @n>t
10010ttt-------- store @St>
10011ttt-------- load @S>t
10100ddd-------- alu >d
10101ddd-------- alu S>d
10110000-------- alu S>S
1011-0-1-----nnn branch n>
10110010--mmmddd shift m>d
10111010--mmmddd simd m>d
1011010lllllllll store @Sl>S
1011110lllllllll load @S>lS
11000nnnllllllll store @nl>n
11001nnnllllllll load @n>ln
1101------------ branch >
11100----------- branch >
"""

WIDE = """
1110100--011nnnnllllllllllllllll load @n>ln
1110100--001nnnnllllllllllllllll load @n>l
1110100--010nnnnllllllllllllllll store @nl>n
1110100--000nnnnllllllllllllllll store @nl>
111010001101nnnn11110000000-mmmm branch nm>
1110100--111nnnnttttuuuu-------- load @n>tun
11101001-101nnnnttttuuuu-------- load @n>tu
1110100--110nnnnttttuuuu-------- store @ntu>n
11101001-100nnnnttttuuuu-------- store @ntu>
11101010110-nnnn----dddd----mmmm simd nm>d
1110101101-snnnn-iiiddddiiiimmmm alu:i nmF>dF
1110101----snnnn-iiiddddiiiimmmm alu:i nm>dF
11110-0101-snnnn0---dddd-------- alu nF>dF
11110-0----snnnn0---dddd-------- alu n>dF
11110-10000-nnnn0---dddd-------- alu n>d
11110-10101-nnnn0---dddd-------- alu n>d
11110-100100----0---dddd-------- alu >d
11110-101100----0---dddd-------- alu d>d
11110-110110nnnn0---dddd-------- shift nd>d
11110-11-1--nnnn0---dddd-------- shift n>d
11110-11-0--nnnn0---dddd-------- simd n>d
11110-----------11-1------------ branch >L
11110-----------10-1------------ branch >
11110-111-------10-0------------ alu >
11110-----------10-0------------ branch >
1111100----11111tttt------------ load >t
1111100-1bb1nnnntttt------------ load:b @n>t
1111100-0bb1nnnntttt1--1-------- load:b @n>tn
1111100-0bb1nnnntttt1--0-------- load:b @n>t
1111100-0bb1nnnntttt0-------mmmm load:b @nm>t
111110001--0nnnntttt------------ store @nt>
111110000--0nnnntttt1--1-------- store @nt>n
111110000--0nnnntttt1--0-------- store @nt>
111110000--0nnnntttt0-------mmmm store @nmt>
111110100--snnnn1111dddd0000mmmm shift nm>dF
11111010001-nnnn1111dddd1---mmmm simd nm>d
111110100---nnnn1111dddd1---mmmm shift:n nm>d
1111101010--nnnn1111dddd100-mmmm simd nm>d
111110101011nnnn1111dddd1000mmmm alu m>d
111110101---nnnn1111dddd----mmmm simd nm>d
111110110---nnnnaaaadddd00--mmmm multiply nm+a>d
1111101110-1nnnn1111dddd1111mmmm multiply nm>d
1111101110-0nnnnttttuuuu0000mmmm multiply nm>tu
111110111---nnnnttttuuuu----mmmm multiply nm+t+u>tu
111011000100uuuutttt101z00M1MMMM multiply tu>M
111011000101uuuutttt101z00M1MMMM multiply M>tu
11101101-V01nnnnVVVV101z-------- load @n>V
11101101-V00nnnnVVVV101z-------- store @nV>
1110110--V11nnnnVVVV101zwwwwwwww load @n>Wn
1110110--V01nnnnVVVV101zwwwwwwww load @n>W
1110110--V10nnnnVVVV101zwwwwwwww store @nW>n
1110110--V00nnnnVVVV101zwwwwwwww store @nW>
111011100000NNNNtttt1010N0010000 multiply t>N
111011100001NNNNtttt1010N0010000 multiply N>t
1110111011110001----101000010000 multiply >F
111011101V11----VVVV101z-0-0---- multiply >V
111011101V11----VVVV101z--M0MMMM multiply M>V
111011101V00NNNNVVVV101zN-M0MMMM multiply NM>V
111011100V1-NNNNVVVV101zN-M0MMMM multiply NM>V
11101110-V--NNNNVVVV101zN-M0MMMM multiply NMV>V
11111110-V--NNNNVVVV101zN-M0MMMM multiply NM>V
"""
