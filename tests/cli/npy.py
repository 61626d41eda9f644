"""float32 and int64 .npy files without numpy."""
import ast
import struct


def write(path, dims, values, code='f'):
    descr = {'f': '<f4', 'q': '<i8', 'd': '<f8'}[code]
    shape = '(' + ''.join(f'{d},' for d in dims) + ')'
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    with open(path, 'wb') as f:
        f.write(b'\x93NUMPY\x01\x00' + struct.pack('<H', len(header)) + header + struct.pack(f'<{len(values)}{code}', *values))


def read(path):
    with open(path, 'rb') as f:
        data = f.read()
    assert data[:8] == b'\x93NUMPY\x01\x00', path
    length, = struct.unpack('<H', data[8:10])
    header = ast.literal_eval(data[10:10 + length].decode())
    code = {'<f4': 'f', '<i8': 'q', '<f8': 'd'}[header['descr']]
    body = data[10 + length:]
    return header['shape'], struct.unpack(f'<{len(body) // struct.calcsize(code)}{code}', body)
