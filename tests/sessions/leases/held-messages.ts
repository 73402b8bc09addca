/** Delays the messages to a node: while they are held, the connection is open but delivers nothing. */
export class HeldMessages {
  #areHeld = false;
  #waiting: (() => void)[] = [];

  /** Wraps a listener, which gets its messages once they are not held. */
  wrap<Message>(listener: (message: Message) => void): (message: Message) => void {
    return (message) => {
      if (this.#areHeld) this.#waiting.push(() => listener(message));
      else listener(message);
    };
  }

  hold(): void {
    this.#areHeld = true;
  }

  release(): void {
    this.#areHeld = false;
    for (const deliver of this.#waiting.splice(0)) deliver();
  }
}
