"""The prompts for the teacher: a request, and the first words of the answer, drawn at random for each document.

The first words keep the answer on its subject and of its kind (without "Sure! Here is a story"), and vary the beginnings of
texts, which a small model memorizes first.
"""
import random
from typing import NamedTuple


class Prompt(NamedTuple):
    kind: str
    request: str
    beginning: str  # part of the document


def words(text: str) -> list[str]:
    return [word.strip() for word in text.replace("\n", " ").split(",")]


GIRLS = words("""Anna, Lucy, Emma, Mary, Rosa, Clara, Nina, Sarah, Alice, Helen, Ruth, Kate, Maria, Julia, Grace, Ella,
Sofia, Amy, Jane, Lena, Martha, Olivia, Nora, Leila, Priya, Mei, Hannah, Zoe, Eva, Rachel, Susan, Carmen""")
BOYS = words("""Tom, Ben, Peter, Jack, Sam, Daniel, Leo, Max, David, Henry, John, Paul, Adam, George, Oscar, Will, Ali,
Marco, Simon, Luke, Martin, James, Noah, Felix, Harry, Ravi, Chen, Omar, Frank, Joe, Michael, Robert""")
WOMEN = words("""a little girl, a girl, a young woman, an old woman, a mother, a grandmother, a nurse, a teacher,
a doctor, a shopkeeper, a writer, a queen, a farmer's daughter, a bus driver, a student, a painter, a singer""")
MEN = words("""a little boy, a boy, a young man, an old man, a father, a grandfather, a farmer, a baker, a fisherman,
a soldier, a king, a policeman, a gardener, a shoemaker, a postman, a carpenter, a teacher, a doctor, a driver,
a musician, a sailor""")
ANIMALS = words("""a small dog, a grey cat, a fox, a hungry wolf, a little mouse, a brown bear, a clever crow, a horse,
a rabbit, a duck, a lazy donkey, an owl, a turtle, a frog, a goat, an elephant, a lion, a squirrel, a puppy, a hen""")
THINGS = words("""a lost key, a red ball, a letter, an old clock, a broken bicycle, a birthday cake, a new coat, a kite,
a garden, a boat, a storm, a train journey, a birthday party, a wedding, a long walk, a picnic, a secret, a promise,
a mistake, a lie, an empty house, a bridge, a river, snow, a lost dog, a sick child, a good dinner, a present, a book,
a photograph, a song, a game of football, a test at school, a first day at work, money, a neighbour, a noise at night,
a broken window, a lost ring, an apple tree, a pair of shoes, a visit to the doctor, a night without light,
a day at the beach, a trip to the city, moving to a new house, an argument, an apology, a surprise, a race,
a missed bus, a cup of tea, a warm fire, a dream, a toy, a piano, a phone call, a hat, a map, fishing, cooking soup,
planting seeds, a holiday, a farm, the moon, a box in the attic, a rainy day, a hot summer, a hard winter""")
PLACES = words("""in a small village, in a big city, by the sea, near a forest, on a farm, in a little house on a hill,
in an old house, by the river, in the mountains, in a quiet street, above a shop, at the edge of the town""")
SCENES = words("""a kitchen in the morning, a train station, a street market, a small shop, a school yard, a hospital
room, a park in autumn, a beach in summer, a library, a busy office, a farm at sunrise, a bus in the rain, a village
street in winter, a harbour, a garden in spring, a restaurant in the evening, a living room at night, a classroom,
a bakery, a bedroom, a forest path, a football match, a theatre, a hotel, an airport, a bank, a church, a museum""")
TIMES = words("""One day, One morning, One evening, One cold night, One summer afternoon, Last winter, In the spring,
On Monday morning, After dinner, Early in the morning, Late at night, On the first day of school, When the rain stopped,
Many years ago, Yesterday, That afternoon, At the end of the week, On his birthday, Before breakfast""")
OPENINGS = """Good morning|Where have you been?|What do you want?|I don't know what to do|I am so sorry|Thank you very much
|Are you hungry?|Can I help you?|It is getting late|Did you hear the news?|Come in and sit down|I can't find my keys
|Do you remember the old days?|How much does it cost?|What time is it?|Please, wait for me|You look tired
|I have something to tell you|Don't be afraid|Look at the sky|When will you come back?|Why are you crying?
|I would like a cup of coffee|Have you seen my brother?|Let's go home|It's a beautiful day|What happened to you?
|I don't understand|My mother says|We have to hurry|How was school today?|Would you like some more?|Who is there?
|I think we are lost|Listen to me|Is this your bag?|I'm not angry|Could you please open the window?|That is not true
|Nobody told me""".replace("\n", "").split("|")
LETTERS = """Thank you very much for|How are you? I|I hope you are well. We|I am sorry that I have not written|It was so nice
 to see you|I have good news|We arrived here|I miss you|Yesterday I|The weather here|I am writing to tell you
|Do you remember|Your letter made me|Last week we|My new job|The children|I would like to invite you|Happy birthday
|Please tell your mother|It has been a long time since|I am sorry to hear|We are looking forward to|School has started
""".replace("\n", "").split("|")
DIARIES = """Today I|This morning I|I woke up|Yesterday we|My mother|My father|My best friend|It was|I have never|I don't
|We had|At school|After work I|I was so|Everyone|I could not|I wanted to|In the evening|My brother and I|I have to
|Last night I|I like|I went to|The first thing I|This weekend I|My sister|I feel|On the way home""".replace("\n", "").split("|")
SCENE_OPENINGS = """It was|The|There was|She opened the|He looked at|They were|It was raining, so|The sun|People|Outside,|On the table
|A man|A woman|The children|Nobody|He sat down|She had|They went|The old|In the corner|Everything|The air|He took
|She walked|We could|The door|At first|Suddenly|Every morning|It had been""".replace("\n", "").split("|")
TOPICS = words("""why it rains, why the sky is blue, how bread is made, what a doctor does, why we sleep, how birds fly,
what a river is, why leaves fall in autumn, how to make tea, how to ride a bicycle, what money is, why we have friends,
how to plant a tree, what the moon is, how a letter reaches its reader, why we wash our hands, what a school is for,
how bees make honey, why the sea is salty, how to be polite, what a farmer does, how to cook an egg, why we need water,
what a family is, how to say sorry, why dogs bark, how a boat floats, what the seasons are, how to keep a secret,
why people work, what a teacher does, how to clean a room, why it is cold in winter, how a clock works, what music is,
how to learn a language, why we eat vegetables, what a library is, how to cross the street, why cats sleep so much,
what wind is, how to make a friend, what a map is for, why we dream, how a house is built, what a king was,
how to bake a cake, why we celebrate birthdays, what snow is, how to write a letter, why trees are important,
how to take care of a dog, what a market is, how to catch a fish, why we laugh, what the sun does, how to save money,
what a holiday is, how to stay healthy, why the night is dark, what a bridge is for, how to tell a story""")
LIVES = words("""a famous doctor, a painter, a writer, a sailor, a simple farmer, a queen, a teacher, a scientist,
a soldier, a singer, a baker, a carpenter, a nurse, an explorer, a football player, a priest, a shopkeeper,
a musician, a builder of bridges, a gardener, a lawyer, a fisherman, an actor, a poet, a king""")


def upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def story(pick: random.Random) -> tuple[str, str]:
    girl = pick.random() < 0.5
    name, person = (pick.choice(GIRLS), pick.choice(WOMEN)) if girl else (pick.choice(BOYS), pick.choice(MEN))
    animal, thing, place, time = (pick.choice(each) for each in (ANIMALS, THINGS, PLACES, TIMES))
    hero = f"{person} named {name}" if pick.random() < 0.75 else f"{animal} and {pick.choice(ANIMALS)}"
    first = hero.split(" named ")[0]
    beginning = pick.choice([
        f"Once upon a time there was {first}", f"Once upon a time, {first} lived {place}", f"There was once {first} who",
        f"{time}, {first}", f"{upper(first)} lived {place}.", f"{time}, {name} ", f"{name} was", f"{name} had", f"{name}",
        f"{time}", f"{'She' if girl else 'He'} was", "Once", "The", "It was"])
    style = pick.choice(["Use short, simple sentences.", "Use simple words.", "It is for a small child.", "Let them talk.",
                         "It ends well.", "It should be sad.", "It should be funny.", "Use plain, everyday words."])
    return f"Write a short story about {hero} and {thing}. {style}", beginning.strip()


def dialogue(pick: random.Random) -> tuple[str, str]:
    people = pick.sample(WOMEN + MEN, 2)
    name = pick.choice(GIRLS + BOYS)
    opening = pick.choice(OPENINGS)
    said = pick.choice([f'said {name}', f'{name} said', f'asked {name}', f'said {people[0].replace("a ", "the ", 1).replace("an ", "the ", 1)}',
                        "she said", "he said", "she asked", "he asked"])
    end = "" if opening[-1] in "?" else ","
    beginning = pick.choice([f'"{opening}{end}" {said}', f'"{opening}', f'"{opening}{end}" {said}', f'{upper(said)}, "{opening}'])
    return (f"Write a short conversation between {people[0]} and {people[1]} about {pick.choice(THINGS)}. "
            "Use quotation marks and simple words."), beginning


def letter(pick: random.Random) -> tuple[str, str]:
    name = pick.choice(GIRLS + BOYS + ["Mother", "Father", "Grandmother", "Aunt Mary", "Mr. Brown", "friend"])
    return (f"Write a short, friendly letter about {pick.choice(THINGS)}. Use simple words.",
            f"Dear {name},\n{pick.choice(LETTERS)}")


def diary(pick: random.Random) -> tuple[str, str]:
    return (f"Write a page of a diary about {pick.choice(THINGS)}. Use simple words. No date.", pick.choice(DIARIES))


def scene(pick: random.Random) -> tuple[str, str]:
    return (f"Write one page of a story that happens in {pick.choice(SCENES)}. It is about {pick.choice(THINGS)}. "
            "Use plain, everyday words.", pick.choice(SCENE_OPENINGS))


def explanation(pick: random.Random) -> tuple[str, str]:
    topic = pick.choice(TOPICS)
    return f"Explain to a child {topic}. Use short, simple sentences.", pick.choice(["", "", "When", "We", "People", "A", "The", "If you"])


def life(pick: random.Random) -> tuple[str, str]:
    girl = pick.random() < 0.4
    name, they = (pick.choice(GIRLS), "She") if girl else (pick.choice(BOYS), "He")
    year = pick.randint(1700, 1990)
    place = pick.choice(PLACES)
    beginning = pick.choice([f"{they} was born in the year {year}", f"{they} was born in {year} {place}.", f"{name} was born {place}",
                             f"{name} was born in {year}", f"{they} was born {place}", f"{they} was the"])
    return f"Tell the life of {pick.choice(LIVES)} named {name} in a few simple sentences.", beginning


KINDS = {"story": (story, 38), "dialogue": (dialogue, 18), "scene": (scene, 14), "diary": (diary, 10),
         "letter": (letter, 8), "explanation": (explanation, 7), "life": (life, 5)}  # (function, weight)


def prompt(seed: int, number: int) -> Prompt:
    """Returns the prompt of a document. It depends only on its number, so that an interrupted run can continue."""
    pick = random.Random(seed * 1_000_003 + number)
    kind = pick.choices(list(KINDS), [share for _, share in KINDS.values()])[0]
    return Prompt(kind, *KINDS[kind][0](pick))
