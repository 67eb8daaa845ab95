import openapi from '../../contract/openapi.json';
import { MAX_INFO_BYTES, MAX_REASON_BYTES, problemOfText } from './actionText';

const { PauseBody, WithdrawBody } = openapi.components.schemas;

describe('problemOfText', () => {
  it('takes what the switchboard takes', () => {
    for (const text of ['', 'Lunch', 'Pausa caffè', '昼休み', '🍝 lunch', 'a, b: (c) "d" \u00a0e']) {
      expect(problemOfText(text, MAX_REASON_BYTES)).toBeNull();
    }
  });

  it('counts bytes, not letters', () => {
    expect(problemOfText('x'.repeat(79), 79)).toBeNull();
    expect(problemOfText('x'.repeat(80), 79)).toEqual({ is: 'too_long', bytes: 80, most: 79 });
    expect(problemOfText('è'.repeat(39) + 'x', 79)).toBeNull();
    expect(problemOfText('è'.repeat(40), 79)).toEqual({ is: 'too_long', bytes: 80, most: 79 });
    expect(problemOfText('🍝'.repeat(20), 79)).toEqual({ is: 'too_long', bytes: 80, most: 79 });
  });

  it.each([
    ['|', 'U+007C'],
    [';', 'U+003B'],
    ['\n', 'U+000A'],
    ['\0', 'U+0000'],
    ['\u001f', 'U+001F'],
    ['\u007f', 'U+007F'],
    ['\u0085', 'U+0085'],
    ['\u009f', 'U+009F'],
    ['\u200e', 'U+200E'],
    ['\u2028', 'U+2028'],
    ['\u202e', 'U+202E'],
    ['\u2066', 'U+2066'],
    ['\u2069', 'U+2069'],
    ['\ufeff', 'U+FEFF'],
    ['\ud83c', 'U+D83C'],
    ['\udf5d', 'U+DF5D'],
  ])('does not take %j', (character, code) => {
    expect(problemOfText(`a${character}b`, MAX_REASON_BYTES)).toEqual({ is: 'character', code });
  });

  it.each([' ', '~', '\u00a0', '\u2027', '\u202f', '\u200d', '\u2065', '\u206a'])('takes %j', (character) => {
    expect(problemOfText(`a${character}b`, MAX_REASON_BYTES)).toBeNull();
  });

  it('has the limits and the characters that the control API has', () => {
    const { maxLength, pattern } = PauseBody.properties.reason;
    expect(MAX_REASON_BYTES).toBe(maxLength);
    expect(MAX_INFO_BYTES).toBe(WithdrawBody.properties.info.maxLength);
    const theirs = new RegExp(pattern, 'u');
    for (let code = 0; code < 0xd800; code++) {
      const character = String.fromCharCode(code);
      expect([code, problemOfText(character, 79) === null]).toEqual([code, theirs.test(character)]);
    }
  });
});
