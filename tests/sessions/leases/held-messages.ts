/** Messages on their way to a node, which a test can hold up: the connection seems fine, and brings nothing. */
export class HeldMessages {
  #areHeld = false;
  #waiting: (() => void)[] = [];

  /** The listener, called when its message is let through. */
  through<Message>(listener: (message: Message) => void): (message: Message) => void {
    return (message) => {
      if (this.#areHeld) this.#waiting.push(() => listener(message));
      else listener(message);
    };
  }

  hold(): void {
    this.#areHeld = true;
  }

  letThrough(): void {
    this.#areHeld = false;
    for (const arrive of this.#waiting.splice(0)) arrive();
  }
}
